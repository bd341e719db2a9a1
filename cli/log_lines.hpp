// Lines of logs as `weft logs` shows them: chosen by time and level, as columns for people. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/observe/observe.hpp"

namespace weft::cli {

/// A line, and whose it is. What a program writes without Weft's log (a stack, a traceback) has no time and level of
/// its own; it goes with the line before it.
struct LogLine {
  std::string host, agent;
  std::string raw;
  Value fields;    ///< the JSON object; null where the line is none
  std::string ts;  ///< RFC 3339 UTC, so it compares as text; may be empty
  std::optional<observe::Level> level{};
};

/// Which lines are shown.
struct LogFilter {
  observe::Level level = observe::Level::trace;  ///< this one and worse
  std::string since{};                           ///< a time like LogLine::ts; empty: all
  bool shows(const LogLine& line) const;
};

/// Reads the lines of one log, piece after piece.
class LogReader {
 public:
  LogReader(std::string host, std::string agent) : host_(std::move(host)), agent_(std::move(agent)) {}
  /// The lines of `text`, which are whole.
  std::vector<LogLine> read(std::string_view text);

 private:
  std::string host_, agent_, ts_;
  std::optional<observe::Level> level_;
};

/// By time; lines of the same time stay in their order.
void sort_by_time(std::vector<LogLine>& lines);
/// "2026-11-20 08:00:00.123  warn   digest@alpha  message  name=value …", without what every line of a process repeats.
/// `width`: of the column of agents.
std::string log_columns(const LogLine& line, bool colour, std::size_t width);
/// The line as a JSON object: as it was written, or {"host", "agent", "msg"} around a line that is none.
std::string log_json(const LogLine& line);

}  // namespace weft::cli
