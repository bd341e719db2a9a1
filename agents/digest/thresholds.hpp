// Thresholds: tells once when a series has crossed a limit for long enough, and once when it is back. Pure.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::digest {

/// One of `above` and `below` is set.
struct Threshold {
  std::string name;
  std::string series;  ///< a pattern: "filesystem.*.used_ratio"
  std::string host = "*";
  std::optional<double> above, below;
  std::optional<double> clear;  ///< where it counts as back; else a tenth of the limit on the good side of it
  Duration lasting{};           ///< how long it must be over the limit, or back, without a break
  Severity severity = Severity::warning;
  WEFT_FIELDS(Threshold, name, series, host, above, below, clear, lasting, severity)
};

struct Crossing {
  const Threshold* threshold = nullptr;  ///< borrowed from the Thresholds
  bool raised = false;                   ///< false: it is back
  std::string host, series;
  double value = 0;
};

class Thresholds {
 public:
  static constexpr Duration kSilenceMax = 30s;  ///< longer without a value: a wait begins anew

  /// Errors: `bad_value` naming the threshold and what is wrong with it.
  static Result<Thresholds> make(std::vector<Threshold> thresholds);
  /// What `value` changes.
  std::vector<Crossing> check(const std::string& host, const std::string& series, double value, TimePoint now);
  /// What is raised for `host` is forgotten in silence.
  void forget(const std::string& host);

 private:
  struct Rule {
    Threshold threshold;
    TopicPattern series, host;
    double limit, clear;
    bool above;
    bool over(double value) const noexcept { return above ? value > limit : value < limit; }
    bool back(double value) const noexcept { return above ? value <= clear : value >= clear; }
  };
  struct State {
    std::size_t rule;
    bool raised = false;
    std::optional<TimePoint> turning_since{};  // over the limit and not yet raised, or back and not yet cleared
    TimePoint last_at{};
  };
  static Result<Rule> rule_of(Threshold threshold);
  bool turned(State& state, double value, TimePoint now) const;

  std::vector<Rule> rules_;
  std::map<std::string, std::map<std::string, std::vector<State>>> states_;  // by host, series
};

}  // namespace weft::digest
