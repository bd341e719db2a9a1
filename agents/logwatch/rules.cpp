// All patterns at once through RE2::Set; then, for those that match, the groups.
#include "agents/logwatch/rules.hpp"

#include <fnmatch.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <set>

namespace weft::logwatch {

namespace {
RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(2 * 1024 * 1024);
  return options;
}
}  // namespace

struct RuleSet::Impl {
  std::vector<Rule> rules_;
  std::vector<std::unique_ptr<RE2>> patterns_;
  RE2::Set set_{options(), RE2::UNANCHORED};

  /// Indexes, sorted.
  std::vector<int> candidates(std::string_view line) const {
    std::vector<int> found;
    RE2::Set::ErrorInfo why{};
    set_.Match({line.data(), line.size()}, &found, &why);
    if (why.kind == RE2::Set::kOutOfMemory) {  // too much for one automaton: each for itself
      found.clear();
      for (std::size_t i = 0; i < patterns_.size(); ++i) found.push_back(static_cast<int>(i));
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  bool match_groups(const RE2& pattern, std::string_view line, std::map<std::string, std::string>& groups) const {
    std::vector<re2::StringPiece> parts(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
    if (!pattern.Match({line.data(), line.size()}, 0, line.size(), RE2::UNANCHORED, parts.data(),
                       static_cast<int>(parts.size())))
      return false;
    for (const auto& [name, index] : pattern.NamedCapturingGroups()) {
      const auto& part = parts[static_cast<std::size_t>(index)];
      if (part.data()) groups.emplace(name, std::string(part.data(), part.size()));
    }
    return true;
  }
};

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

Result<RuleSet> RuleSet::make(std::vector<Rule> rules) {
  auto impl = std::make_unique<Impl>();
  std::string wrong;
  std::set<std::string> names;
  for (const auto& rule : rules) {
    const auto tell = [&](const std::string& what) {
      wrong += (wrong.empty() ? "" : "; ") + ("rule '" + rule.name + "': " + what);
    };
    if (auto name = check_name("rule name", rule.name); !name) tell(name.error().message);
    if (!names.insert(rule.name).second) tell("the name is used twice");
    auto pattern = std::make_unique<RE2>(rule.pattern, options());
    if (!pattern->ok()) {
      tell("pattern: " + pattern->error());
    } else if (impl->set_.Add(rule.pattern, nullptr) < 0) {
      tell("pattern: not usable with the others");
    }
    impl->patterns_.push_back(std::move(pattern));
  }
  if (wrong.empty() && !impl->set_.Compile()) wrong = "the rules together are too large";
  if (!wrong.empty()) return Error(codes::bad_value, wrong, "the syntax is that of RE2: no look-around, no references");
  impl->rules_ = std::move(rules);
  return RuleSet(std::move(impl));
}

const std::vector<Rule>& RuleSet::rules() const noexcept { return impl_->rules_; }

std::vector<Match> RuleSet::match(const std::string& path, std::string_view line) const {
  std::vector<Match> matches;
  if (impl_->rules_.empty()) return matches;
  for (const int index : impl_->candidates(line)) {
    const auto i = static_cast<std::size_t>(index);
    if (::fnmatch(impl_->rules_[i].files.c_str(), path.c_str(), 0) != 0) continue;
    Match match{i};
    if (impl_->match_groups(*impl_->patterns_[i], line, match.groups)) matches.push_back(std::move(match));
  }
  return matches;
}

}  // namespace weft::logwatch
