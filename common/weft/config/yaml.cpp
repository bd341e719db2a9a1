// yaml-cpp's events to Nodes. Its own Node class keeps silent about duplicate keys and expands aliases without limit,
// so the tree is built here.
#include "weft/config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "weft/config/scalar.hpp"
#include "weft/config/syntax.hpp"
#include "weft/config/utf8.hpp"

namespace weft::config {
namespace {

/// Ends the parsing of a file that is over a limit.
struct Refused {
  Place place;
  std::string why;
};

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::shared_ptr<const Source> source, const YamlLimits& limits)
      : text_(text), source_(std::move(source)), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    if (root_.kind == Node::Kind::scalar && !root_.is_null())
      throw Refused{root_.place, "not YAML: stray text before the first key"};
    throw Refused{place(mark), "a second document begins here; one file holds one"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { scalar(mark, "?", anchor, ""); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    ends_ = mark;
    scalar(mark, tag, anchor, text);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{place(mark), "an alias inside of what it stands for"};
    charge(place(mark), found->second, open_.size());
    add(mark, found->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  /// A quote without end takes all that follows, so only the last scalar can have one.
  void check_last_quote() const {
    if (!ends_.is_null() && is_open_quote(text_, ends_.line + 1, ends_.column + 1))
      throw Refused{place(ends_), "not YAML: a quote that is never closed"};
  }
  Node take() { return std::move(root_); }
  std::vector<Mistake>& mistakes() { return mistakes_; }
  std::string path() const {
    std::string text;
    for (const auto& frame : open_) {
      if (frame.node.kind == Node::Kind::list)
        text = join(text, frame.node.items.size());
      else if (frame.key && !frame.key->empty())
        text = join(text, *frame.key);
    }
    return text;
  }
  Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

 private:
  struct Frame {
    Node node;
    std::optional<Node> merged;  ///< the value of the key `<<`, until the map ends
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key;
    Place key_place;
    bool drop_value = false;   ///< its key was a mistake
    bool merge_value = false;  ///< its key was `<<`
  };

  void mistake(const YAML::Mark& mark, std::string path, std::string text) {
    mistakes_.push_back({place(mark).origin(), std::move(path), std::move(text)});
  }
  bool at_key() const { return !open_.empty() && open_.back().node.is_map() && !open_.back().key; }

  void charge(const Place& where, std::size_t bytes) {
    if (++values_ > limits_.values)
      throw Refused{where,
                    "more than " + std::to_string(limits_.values) + " values, those that aliases repeat included"};
    if ((bytes_ += bytes) > limits_.expanded_bytes)
      throw Refused{where, "more than " + std::to_string(limits_.expanded_bytes) + " bytes with what aliases repeat"};
  }
  /// Counts a copy of `node`, which begins `depth` maps and lists deep, before it is made.
  void charge(const Place& where, const Node& node, std::size_t depth) {
    if (node.kind != Node::Kind::scalar && depth >= limits_.depth) throw Refused{where, too_deep()};
    charge(where, node.scalar.is_string() ? node.scalar.as_string().size() : 0);
    for (const auto& item : node.items) charge(where, item, depth + 1);
    for (const auto& [key, member] : node.members) {
      charge(where, key.size());
      charge(where, member, depth + 1);
    }
  }
  std::string too_deep() const { return "maps and lists nested deeper than " + std::to_string(limits_.depth); }

  void scalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) {
    if (at_key() && anchor == 0) return key(mark, text, is_merge_key(tag, text));
    if (text.size() > limits_.scalar_bytes)
      throw Refused{place(mark), "a text of more than " + std::to_string(limits_.scalar_bytes) + " bytes"};
    charge(place(mark), text.size());
    Node node;
    node.place = place(mark);
    if (auto value = tagged_scalar(tag, text))
      node.scalar = std::move(*value);
    else
      mistake(mark, path(), value.error().message);
    if (anchor != 0) anchors_[anchor] = node;
    add(mark, std::move(node));
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    if (open_.size() >= limits_.depth) throw Refused{place(mark), too_deep()};
    charge(place(mark), 0);
    const std::string wanted = kind == Node::Kind::map ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    if (!tag.empty() && tag != "?" && tag != "!" && tag != wanted)
      mistake(mark, path(), "the tag '" + tag + "' is not known here");
    if (at_key()) {
      mistake(mark, path(), "a map or list cannot be a key");
      open_.back().key = "";
      open_.back().drop_value = true;
      complex_keys_.push_back(open_.size());
    }
    Frame frame;
    frame.anchor = anchor;
    frame.node.kind = kind;
    frame.node.place = place(mark);
    open_.push_back(std::move(frame));
  }
  void close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    if (frame.merged) merge(frame.node, std::move(*frame.merged));
    if (frame.anchor != 0) {
      charge(frame.node.place, frame.node, open_.size());
      anchors_[frame.anchor] = frame.node;
    }
    if (!complex_keys_.empty() && complex_keys_.back() == open_.size()) {
      complex_keys_.pop_back();  // the key is done, its value comes next and is dropped
      return;
    }
    place_value(std::move(frame.node));
  }
  /// A quoted `<<` is a key like any other.
  static bool is_merge_key(const std::string& tag, const std::string& text) {
    return text == "<<" && (tag.empty() || tag == "?" || tag == "tag:yaml.org,2002:merge");
  }
  /// What `<<` adds: keys that the map does not have itself. Of a list the first map that has a key wins. Every value
  /// keeps its own place, and was counted when its alias was read.
  void merge(Node& map, Node merged) {
    const auto take = [&](Node& from) {
      if (!from.is_map())
        return mistakes_.push_back({from.place.origin(), join(path(), "<<"),
                                    "wanted a map to merge, as in '<<: *name' or '<<: [*first, *second]'"});
      map.members.merge(from.members);
    };
    if (merged.kind != Node::Kind::list) return take(merged);
    for (auto& item : merged.items) take(item);
  }
  void key(const YAML::Mark& mark, const std::string& text, bool merges = false) {
    charge(place(mark), text.size());
    Frame& frame = open_.back();
    frame.key = text;
    frame.key_place = place(mark);
    frame.drop_value = true;
    frame.merge_value = merges && !frame.merged;
    if (frame.merge_value) return;
    if (merges)
      return mistake(mark, path(), "the key is here twice; several maps are merged by '<<: [*first, *second]'");
    if (text.empty()) return mistake(mark, path(), "an empty key");
    if (text.size() > limits_.key_bytes)
      return mistake(mark, "", "a key of more than " + std::to_string(limits_.key_bytes) + " bytes");
    const auto first = frame.node.members.find(text);
    if (first != frame.node.members.end())
      return mistake(mark, path(),
                     "the key is here twice; the first is in line " + std::to_string(first->second.key.line));
    frame.drop_value = false;
  }
  /// A scalar or an alias, which may also be a key.
  void add(const YAML::Mark& mark, Node node) {
    if (!at_key()) return place_value(std::move(node));
    const bool text = node.kind == Node::Kind::scalar && node.scalar.is_string();
    if (text) return key(mark, node.scalar.as_string());
    mistake(mark, path(), "this cannot be a key; keys are text");
    open_.back().key = "";
    open_.back().drop_value = true;
  }
  void place_value(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = open_.back();
    if (!parent.node.is_map()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (parent.merge_value) {
      parent.merged = std::move(node);
    } else if (!parent.drop_value) {
      node.key = parent.key_place;
      parent.node.members.emplace(*parent.key, std::move(node));
    }
    parent.key.reset();
    parent.drop_value = parent.merge_value = false;
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  YamlLimits limits_;
  std::vector<Frame> open_;
  std::vector<std::size_t> complex_keys_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  Node root_;
  std::vector<Mistake> mistakes_;
  std::size_t values_ = 0, bytes_ = 0;
  YAML::Mark ends_ = YAML::Mark::null_mark();  // the scalar that came last
  int documents_ = 0;
};

Parsed refused(std::vector<Mistake> before, Origin origin, std::string path, std::string text) {
  before.push_back({std::move(origin), std::move(path), std::move(text)});
  return {Node{}, std::move(before), false};
}

/// istream over borrowed text, without a copy.
struct View final : std::streambuf {
  explicit View(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: setg wants char*, a get area is only read
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

Parsed parse_yaml(std::string_view text, std::shared_ptr<const Source> source, const YamlLimits& limits) {
  const Place start{source, 1, 1};
  if (text.size() > limits.bytes)
    return refused({}, start.origin(), "", "larger than " + std::to_string(limits.bytes) + " bytes");
  if (const auto bad = first_bad_character(text))
    return refused({}, Place{source, bad->line, bad->column}.origin(), "", "not YAML: " + bad->what);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // else columns of line 1 are off
  Builder builder(text, source, limits);
  try {
    View view(text);
    std::istream in(&view);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
    builder.check_last_quote();
  } catch (const Refused& stop) {
    return refused(std::move(builder.mistakes()), stop.place.origin(), builder.path(), stop.why);
  } catch (const YAML::Exception& error) {
    const bool anywhere = error.mark.is_null();
    const auto told =
        explain_syntax(text, anywhere ? 1 : error.mark.line + 1, anywhere ? 1 : error.mark.column + 1, error.msg);
    // What the builder found before may itself come from this: "[1" looks like a list that is a key.
    return refused({}, Place{source, told.line, told.column}.origin(), "", told.text);
  } catch (const std::exception& error) {
    return refused(std::move(builder.mistakes()), start.origin(), "", std::string("not YAML: ") + error.what());
  }
  Parsed parsed;
  parsed.root = builder.take();
  if (!parsed.root.place.source) parsed.root.place = start;
  parsed.mistakes = std::move(builder.mistakes());
  return parsed;
}

Parsed parse_yaml_file(const std::string& path, const std::string& layer, const YamlLimits& limits) {
  auto source = std::make_shared<const Source>(Source{layer, path});
  const Origin origin{layer, path, 0, 0};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(limits.bytes + 1, '\0');
  if (!file) return refused({}, origin, "", std::string("cannot be opened: ") + std::strerror(errno));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.gcount() == 0 && errno != 0))
    return refused({}, origin, "", std::string("cannot be read: ") + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_yaml(text, std::move(source), limits);
}

}  // namespace weft::config
