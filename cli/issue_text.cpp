#include "cli/issue_text.hpp"

namespace weft::cli {

std::string clock_time(std::int64_t us) { return to_rfc3339(wall_from_us(us)).substr(0, 19) + "Z"; }

namespace {
/// One that an older bus has kept has none but the first event's words.
std::string text_of(const errorbus::Issue& issue) { return printable(issue.text.empty() ? issue.message : issue.text); }
/// But the lines of its log, which are shown apart.
std::string values_of(const ErrorEvent& event) {
  auto values = event.values;
  values.erase("log");
  return values.empty() ? "" : printable(to_json(to_value(values)));
}

std::vector<std::string> log_of(const ErrorEvent& event) {
  std::vector<std::string> out;
  const auto log = event.values.find("log");
  if (log == event.values.end() || !log->second.is_list()) return out;
  for (const Value& one : log->second.as_list()) out.push_back(one.is_string() ? one.as_string() : to_json(one));
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto one : split(text, '\n')) {
    if (!one.empty()) out.emplace_back(one);
  }
  return out;
}

/// Frames of a recursion that are the same but for their number become one line.
std::vector<std::string> shortened(const std::vector<std::string>& frames) {
  const auto bare = [](const std::string& frame) { return frame.substr(std::min(frame.find(' '), frame.size())); };
  std::vector<std::string> out;
  for (std::size_t i = 0; i < frames.size();) {
    std::size_t same = 1;
    while (i + same < frames.size() && bare(frames[i + same]) == bare(frames[i])) ++same;
    out.push_back(frames[i]);
    if (same > 2) out.push_back("   and " + std::to_string(same - 1) + " more of it");
    if (same == 2) out.push_back(frames[i + 1]);
    i += same;
  }
  return out;
}

void print_block(const char* name, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  print_line(name);
  for (const auto& one : lines) print_line("  " + printable(one));
}
}  // namespace

void print_issues(const std::vector<errorbus::Issue>& issues, WallTime now) {
  Table table({"ISSUE", "STATE", "SEVERITY", "COUNT", "LAST", "AGENT", "HOST", "CODE", "MESSAGE"});
  for (const auto& issue : issues) {
    table.add({issue.id, std::string(to_string(issue.state)), std::string(to_string(issue.severity)),
               std::to_string(issue.count), age(now - wall_from_us(issue.last_seen_us)), joined(issue.agents, ","),
               joined(issue.hosts, ","), printable(issue.code), text_of(issue)});
  }
  table.print();
}

void print_events(const std::vector<errorbus::StoredEvent>& events) {
  Table table({"TIME", "SEVERITY", "AGENT", "HOST", "CODE", "TEXT"});
  for (const auto& stored : events) {
    const ErrorEvent& event = stored.event;
    table.add({clock_time(event.time_us), std::string(to_string(event.severity)), event.agent, event.host,
               printable(event.code), printable(event.text())});
  }
  table.print();
}

void print_issue(const errorbus::IssueReply& reply) {
  const errorbus::Issue& issue = reply.issue;
  const auto line = [](const char* name, const std::string& text) {
    if (!text.empty()) print_line(std::string(name) + std::string(12 - std::string_view(name).size(), ' ') + text);
  };
  print_line(issue.id + "  " + printable(issue.code) + "  " + text_of(issue));
  line("state", std::string(to_string(issue.state)) + " since " + clock_time(issue.changed_us) +
                    (issue.until_us > 0 ? ", until " + clock_time(issue.until_us) : ""));
  line("by", issue.who + (issue.why.empty() ? "" : ": " + printable(issue.why)));
  line("resolved in", issue.resolved_in);
  line("severity", std::string(to_string(issue.severity)) + (issue.category.empty() ? "" : ", " + issue.category));
  line("count", std::to_string(issue.count));
  line("first", clock_time(issue.first_seen_us));
  line("last", clock_time(issue.last_seen_us));
  line("agents", joined(issue.agents, ","));
  line("hosts", joined(issue.hosts, ","));
  for (const auto& stored : reply.events) {
    print_line("");
    line("event", stored.event.id.to_string() + "  " + clock_time(stored.event.time_us));
    line("text", printable(stored.event.text()));
    line("exception", printable(stored.event.exception));
    line("stands for", stored.event.repeated == 0 ? "" : std::to_string(stored.event.repeated + 1) + " events");
    line("values", values_of(stored.event));
    line("trace", stored.event.trace_id);
    print_block("stack", shortened(lines_of(stored.event.stack)));
    print_block("last lines of its log", log_of(stored.event));
  }
}

}  // namespace weft::cli
