// Rules: which of the user's regular expressions a line matches, in time linear in the line (RE2). Pure.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::logwatch {

struct Rule {
  std::string name;         ///< also the last segment of the topic
  std::string pattern;      ///< RE2 syntax; named groups become values of the match
  std::string files = "*";  ///< glob over paths, as a whole ('*' crosses '/'): the files it looks at
  Severity severity = Severity::warning;
  std::string category = "log";
  std::string code = "LOG_MATCH";
  double rate = 10;         ///< reports a second; more are counted and told as a number
  std::int64_t burst = 50;  ///< how many may come at once
  WEFT_FIELDS(Rule, name, pattern, files, severity, category, code, rate, burst)
};

struct Match {
  std::size_t rule = 0;                         ///< index
  std::map<std::string, std::string> groups{};  ///< named groups that took part; any bytes
};

class RuleSet {
 public:
  /// Errors: `bad_value` that tells every rule that is wrong, and why.
  static Result<RuleSet> make(std::vector<Rule> rules);
  RuleSet(RuleSet&&) noexcept;
  ~RuleSet();
  const std::vector<Rule>& rules() const noexcept;
  std::vector<Match> match(const std::string& path, std::string_view line) const;

 private:
  struct Impl;
  explicit RuleSet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::logwatch
