// Findings of the validator become mistakes: the origin of the value that won, what was wanted, what is there.
#include "weft/config/check.hpp"

#include <algorithm>
#include <charconv>
#include <regex>
#include <set>
#include <tuple>

#include "weft/base/text.hpp"
#include "weft/config/validate.hpp"

namespace weft::config {
namespace {

// std::regex takes stack for each character: a longer text at a place with a pattern is refused before it is matched.
constexpr std::size_t kPatternTextMax = 1024;

class Checker {
 public:
  Checker(const Schema& schema, const Node& root, const std::string& prefix)
      : schema_(schema), root_(root), prefix_(prefix) {}

  std::vector<Mistake> run(const std::string& schema_name) {
    if (auto good = check_references(schema_.root()); !good) {
      mistakes_.push_back({{"schema", schema_name, 0, 0}, prefix_, "is no JSON schema: " + good.error().message});
      return std::move(mistakes_);
    }
    Value document = to_value(root_);
    Path path;
    walk(schema_.top(), root_, document, path);
    const auto findings = validate(schema_.root(), document);
    if (!findings) {
      mistakes_.push_back({{"schema", schema_name, 0, 0}, prefix_, "is no JSON schema: " + findings.error().message});
      return std::move(mistakes_);
    }
    tell(*findings);
    return std::move(mistakes_);
  }

 private:
  /// What the validator cannot say: ranges of durations, secrets in plain text, texts too long for a pattern.
  void walk(const Schema::At& at, const Node& node, Value& copy, Path& path) {
    if (node.kind == Node::Kind::scalar) return scalar(at, node, copy, path);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      path.push_back({{}, i, true});
      walk(schema_.item(at, i), node.items[i], copy.as_list()[i], path);
      path.pop_back();
    }
    for (const auto& [key, member] : node.members) {
      path.push_back({key, 0, false});
      name(at, key, member, path);
      walk(schema_.child(at, key), member, copy.as_map().find(key)->second, path);
      path.pop_back();
    }
  }
  /// Keys that are names of something, where the schema says how those look.
  void name(const Schema::At& at, const std::string& key, const Node& member, const Path& path) {
    for (const Value* schema : at) {
      const Value& pattern = (*schema)["x-names"];
      if (!pattern.is_string()) continue;
      if (key.size() <= kPatternTextMax && std::regex_match(key, std::regex(pattern.as_string()))) continue;
      add(path, (member.key.source ? member.key : member.place).origin(),
          "wanted " + (*schema)["x-names-wanted"].as_string() + ", got " + got(Value(key), false));
    }
  }
  void scalar(const Schema::At& at, const Node& node, Value& copy, const Path& path) {
    if (is_plain_secret(at, copy)) {
      add(path, node.place.origin(), std::string(kPlainSecret));
    } else if (has_keyword(at, "pattern") && copy.is_string() && copy.as_string().size() > kPatternTextMax) {
      add(path, node.place.origin(), "wanted " + wanted(at) + ", got " + got(copy, is_secret(at)));
      copy = "";
    } else if (duration_out_of_range(at, copy)) {
      add(path, node.place.origin(), "wanted " + wanted(at) + ", got " + got(copy, is_secret(at)));
    }
  }

  void tell(const std::vector<Finding>& findings) {
    for (const auto& finding : findings)
      if (finding.kind != Finding::Kind::enclosing && !explained_below(finding, findings)) tell(finding);
    for (const auto& finding : findings)
      if (finding.kind == Finding::Kind::enclosing && !covered(to_path(finding.path)))
        wrong_value(to_path(finding.path));
  }
  void tell(const Finding& finding) {
    const Path path = to_path(finding.path);
    if (finding.kind == Finding::Kind::unknown_key) return unknown_keys(path, finding.key);
    if (finding.kind == Finding::Kind::missing) return missing(path, finding.key);
    wrong_value(path);
  }
  /// Where one of several schemas should fit and one nearly does, only what is wrong inside of it is told.
  static bool explained_below(const Finding& finding, const std::vector<Finding>& all) {
    const auto same = [&](const Finding& other) {
      return other.kind == Finding::Kind::alternative && other.path == finding.path;
    };
    const auto inner = [&](const Finding& other) {
      const bool within = other.path.size() >= finding.path.size() &&
                          std::equal(finding.path.begin(), finding.path.end(), other.path.begin());
      const bool deeper = other.path.size() > finding.path.size() || other.kind == Finding::Kind::unknown_key ||
                          other.kind == Finding::Kind::missing;
      return within && deeper && other.kind != Finding::Kind::enclosing;
    };
    if (finding.kind == Finding::Kind::unknown_key || finding.kind == Finding::Kind::missing) return false;
    return std::any_of(all.begin(), all.end(), same) && std::any_of(all.begin(), all.end(), inner);
  }

  void wrong_value(const Path& path) {
    const Schema::At at = schema_.at(path);
    const Node& node = deepest(root_, path);
    const Value value = to_value(node);
    std::string text = "wanted " + wanted(at) + ", got " + got(value, is_secret(at)) + nearest_allowed(at, value);
    if (is_text_only(at) && !value.is_string() && node.kind == Node::Kind::scalar && !value.is_null())
      text += text.find("duration") == text.npos ? " (in quotes it is text)" : " (it has no unit)";
    add(path, node.origin(), text + how_to_write_a_list(at, node));
  }
  /// Variables and --set are YAML in one line, which "a,b" and "a b" are not a list in.
  static std::string how_to_write_a_list(const Schema::At& at, const Node& node) {
    const std::string layer = node.origin().layer;
    if ((layer != "environment" && layer != "command line") || node.kind == Node::Kind::list) return "";
    const bool wants_list =
        std::any_of(at.begin(), at.end(), [](const Value* one) { return (*one)["type"].is("array"); });
    return wants_list ? "; a list is written [a, b]" : "";
  }
  void unknown_keys(const Path& path, const std::string& told) {
    const Schema::At at = schema_.at(path);
    const auto known = known_keys(at);
    const bool only_told = has_keyword(at, "patternProperties");
    for (const auto& [key, member] : deepest(root_, path).members) {
      if (std::find(known.begin(), known.end(), key) != known.end() || (only_told && key != told)) continue;
      std::string text = "unknown key" + did_you_mean(key, known);
      if (text == "unknown key" && !known.empty()) text += "; known here: " + list(known);
      Path whole = path;
      whole.push_back({key, 0, false});
      add(whole, (member.key.source ? member.key : member.place).origin(), std::move(text));
    }
  }
  void missing(const Path& path, const std::string& key) {
    Path whole = path;
    whole.push_back({key, 0, false});
    add(whole, deepest(root_, path).origin(), "missing; wanted " + wanted(schema_.at(whole)));
  }

  static std::string list(const std::vector<std::string_view>& words) {
    constexpr std::size_t kShown = 12;
    std::string text;
    for (std::size_t i = 0; i < words.size() && i < kShown; ++i) text += (i == 0 ? "" : ", ") + std::string(words[i]);
    return words.size() > kShown ? text + ", …" : text;
  }
  /// The validator writes keys and indices alike; the tree knows which is which.
  Path to_path(const std::vector<std::string>& texts) const {
    Path path;
    for (const auto& text : texts) {
      const bool is_index = deepest(root_, path).kind == Node::Kind::list;
      Step step{is_index ? "" : text, 0, is_index};
      if (is_index) std::from_chars(text.data(), text.data() + text.size(), step.index);
      path.push_back(std::move(step));
    }
    return path;
  }
  std::string full(const Path& path) const {
    const std::string text = to_string(path);
    return prefix_.empty() ? text : text.empty() ? prefix_ : text[0] == '[' ? prefix_ + text : prefix_ + "." + text;
  }
  bool covered(const Path& path) const {
    const std::string text = full(path);
    return std::any_of(told_.begin(), told_.end(), [&](const std::string& one) { return one.starts_with(text); });
  }
  /// One mistake a place: the first that is told is the one nearest to its cause.
  void add(const Path& path, Origin origin, std::string text) {
    std::string name = full(path);
    if (told_.insert(name).second) mistakes_.push_back({std::move(origin), std::move(name), std::move(text)});
  }

  const Schema& schema_;
  const Node& root_;
  const std::string& prefix_;
  std::set<std::string> told_;
  std::vector<Mistake> mistakes_;
};

int rank(std::string_view layer) {
  constexpr std::string_view kOrder[] = {"schema", "default", "base",        "env",
                                         "host",   "agent",   "environment", "command line"};
  return static_cast<int>(std::find(std::begin(kOrder), std::end(kOrder), layer) - std::begin(kOrder));
}

}  // namespace

std::vector<Mistake> check(const Schema& schema, const Node& root, const std::string& prefix,
                           const std::string& schema_name) {
  if (schema.empty()) return {};
  return Checker(schema, root, prefix).run(schema_name);
}

void tidy(std::vector<Mistake>& mistakes) {
  const auto order = [](const Mistake& one) {
    const Origin& origin = one.origin;
    return std::tuple(rank(origin.layer), std::string_view(origin.file), origin.line, origin.column,
                      std::string_view(one.path), std::string_view(one.text));
  };
  std::sort(mistakes.begin(), mistakes.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  const auto same = [&](const auto& a, const auto& b) { return order(a) == order(b); };
  mistakes.erase(std::unique(mistakes.begin(), mistakes.end(), same), mistakes.end());
}

}  // namespace weft::config
