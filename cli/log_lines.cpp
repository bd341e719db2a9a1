#include "cli/log_lines.hpp"

#include <algorithm>
#include <array>

#include "cli/output.hpp"

namespace weft::cli {
namespace {

/// Fields that the columns show, or that are the same in every line of a process.
constexpr std::array<std::string_view, 10> kKnown{"ts",   "level", "msg",     "agent",       "instance",
                                                  "host", "pid",   "version", "trace_flags", "span_id"};

std::string field_text(const Value& value) {
  if (!value.is_string()) return to_json(value);
  const auto& text = value.as_string();
  const bool word = !text.empty() && text.find_first_of(" \t\n\"=") == std::string::npos;
  return word ? printable(text) : to_json(value);
}

std::string_view level_colour(observe::Level level) {
  if (level >= observe::Level::error) return "\x1b[31m";
  if (level == observe::Level::warn) return "\x1b[33m";
  return level == observe::Level::info ? "\x1b[32m" : "\x1b[2m";
}

/// "2026-11-20T08:00:00.000001Z" with a space, and milliseconds.
std::string time_column(const std::string& ts) {
  constexpr std::size_t kMilliseconds = 23;
  auto out = printable(ts).substr(0, kMilliseconds);
  if (out.size() > 10 && out[10] == 'T') out[10] = ' ';
  out.resize(kMilliseconds, ' ');
  return out;
}

}  // namespace

bool LogFilter::shows(const LogLine& line) const {
  if (line.level && *line.level < level) return false;
  if (!line.level && level > observe::Level::trace) return false;
  return since.empty() || line.ts >= since;
}

std::vector<LogLine> LogReader::read(std::string_view text) {
  std::vector<LogLine> lines;
  for (const auto raw : split(text, '\n')) {
    if (raw.empty()) continue;
    LogLine line{host_, agent_, std::string(raw), {}, {}, {}};
    if (raw.starts_with('{')) {
      if (auto parsed = from_json(raw); parsed && parsed->is_map()) line.fields = std::move(*parsed);
    }
    if (line.fields["ts"].is_string()) ts_ = line.fields["ts"].as_string();
    if (line.fields["level"].is_string()) {
      const auto level = observe::from_text(line.fields["level"].as_string(), std::type_identity<observe::Level>{});
      level_ = level ? std::optional(*level) : std::nullopt;
    }
    line.ts = ts_;
    line.level = level_;
    lines.push_back(std::move(line));
  }
  return lines;
}

void sort_by_time(std::vector<LogLine>& lines) {
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
}

std::string log_columns(const LogLine& line, bool colour, std::size_t width) {
  std::string owner = line.agent + "@" + line.host;
  owner.resize(std::max(width, owner.size()), ' ');
  if (line.fields.is_null()) return std::string(time_column("")) + "         " + owner + "  " + printable(line.raw);
  std::string level = line.level ? std::string(to_string(*line.level)) : "";
  level.resize(5, ' ');
  if (colour && line.level) level = std::string(level_colour(*line.level)) + level + "\x1b[0m";
  std::string out = time_column(line.ts) + "  " + level + "  " + owner + "  ";
  const Value& msg = line.fields["msg"];
  out += msg.is_string() ? printable(msg.as_string()) : to_json(msg);
  for (const auto& [name, value] : line.fields.as_map()) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
      out += "  " + printable(name) + "=" + field_text(value);
  }
  return out;
}

std::string log_json(const LogLine& line) {
  if (!line.fields.is_null()) return line.raw;
  Value out;
  out.set("host", line.host);
  out.set("agent", line.agent);
  out.set("msg", line.raw);
  return to_json(out);
}

}  // namespace weft::cli
