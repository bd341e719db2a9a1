// Logwatch: follows log files, and tells what its rules find to the error bus and on log.<host>.<rule>.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agents/logwatch/file_events.hpp"
#include "agents/logwatch/follower.hpp"
#include "agents/logwatch/limiter.hpp"
#include "agents/logwatch/rules.hpp"
#include "weft/agent/agent.hpp"

namespace weft::logwatch {

struct Settings {
  std::vector<std::string> files;  ///< globs
  std::vector<Rule> rules;
  std::string from = "end";  ///< "start" or "end"
  Duration rescan = 5s;
  std::int64_t files_max = 256;
  std::int64_t line_max = 16 * 1024;
  WEFT_FIELDS(Settings, files, rules, from, rescan, files_max, line_max)
};

/// Published on log.<host>.<rule>.
struct LogMatch {
  std::string host, rule, category, path, line;
  Severity severity = Severity::warning;
  std::int64_t time_us = 0;
  std::uint64_t offset = 0;
  bool cut = false;
  std::map<std::string, std::string> groups;
  WEFT_FIELDS(LogMatch, host, rule, category, path, line, severity, time_us, offset, cut, groups)
};

class Logwatch {
 public:
  Logwatch(Settings settings, Agent& agent);
  ~Logwatch();

 private:
  struct RuleState {
    Limiter limiter;
    observe::Counter &matches, &suppressed;
  };
  void scan();
  void scan_soon();
  void read();
  void read_soon(Duration delay);
  void look_at(const std::string& path, const Line& line);
  void tell(const Rule& rule, LogMatch match);
  void tell_suppressed();
  void save();

  Settings settings_;
  Agent& agent_;
  RuleSet rules_;
  std::vector<RuleState> states_;  // by rule
  Follower follower_;
  FileEvents events_;
  Timer scan_timer_, read_timer_;
  std::uint64_t saved_revision_ = 0;
  bool save_fails_ = false, watches_missing_ = false;
};

}  // namespace weft::logwatch
