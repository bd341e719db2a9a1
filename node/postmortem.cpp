#include "node/postmortem.hpp"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "node/log_files.hpp"
#include "weft/base/files.hpp"

namespace weft::node {
namespace {

constexpr std::size_t kLines = 20, kLogBytes = 8 * 1024;
constexpr Duration kMemoryLook = 2s;

std::vector<std::string> last_lines(const std::string& log, std::uint64_t begin) {
  const LogPage page = log_tail(log, kLines, kLogBytes);
  std::string_view text = page.text;
  const auto at = page.next_offset - std::min<std::uint64_t>(page.next_offset, text.size());
  if (begin <= page.next_offset && at < begin) text.remove_prefix(static_cast<std::size_t>(begin - at));
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

/// A wrapper in shell gives the signal of its child on as 128 and its number.
bool belongs(const CrashRecord& record, const ProcessId& process, const Exit& exit) {
  if (record.pid == process.pid) return true;
  return exit.how == Exit::How::exited && record.signal != 0 && exit.value == 128 + record.signal;
}

/// Only this node ends a process by a signal of its own choice without one of these reasons.
bool killed_from_outside(const Ended& ended) {
  return ended.exit.how == Exit::How::signalled && ended.exit.value == SIGKILL && ended.reason == "signal";
}

/// Of ends without a place: how it ended.
std::string kind_of(const Ended& ended, const Findings& findings) {
  if (killed_from_outside(ended) && findings.out_of_memory) return "memory";
  std::string kind(ended.reason);
  if (ended.reason == "signal") kind += " " + signal_name(ended.exit.value);
  if (ended.reason == "exit") kind += " " + std::to_string(ended.exit.value);
  return kind;
}

std::string how_it_ended(const Ended& ended, const Findings& findings) {
  const CrashRecord& crash = findings.crash;
  std::string out = ended.why;
  if (ended.exit.how == Exit::How::unknown && crash.signal != 0) out += "; it recorded " + signal_name(crash.signal);
  if (crash.stack_overflow()) out += ": its stack overflowed";
  if (!crash.exception.empty()) out += ": " + crash.exception + ": " + crash.what;
  if (killed_from_outside(ended) && findings.out_of_memory) out += ", very likely by the kernel for lack of memory";
  return out;
}

Value::List lines_of(const std::vector<std::string>& lines) {
  Value::List out;
  for (const auto& line : lines) out.emplace_back(line);
  return out;
}

/// A record is read once.
std::optional<CrashRecord> take_record(const std::string& file) {
  const auto text = read_regular_file(file, kCrashRecordMax);
  (void)::unlink(file.c_str());
  if (!text || !*text) return std::nullopt;
  auto record = parse_crash_record(**text);
  return record ? std::optional(std::move(*record)) : std::nullopt;
}

std::string cause_of(const CrashRecord& crash) {
  if (!crash.exception.empty()) return crash.exception;
  return crash.signal != 0 ? signal_name(crash.signal) : "";
}

void add_crash(ErrorEvent& event, const Findings& findings) {
  const CrashRecord& crash = findings.crash;
  if (crash.pid == 0) return;
  event.values["thread"] = crash.thread;
  if (!crash.exception.empty()) event.values["what"] = crash.what;
  if (crash.signal == 0) return;
  event.values["signal"] = signal_name(crash.signal);
  event.values["pc"] = hex_text(crash.pc);
  if (crash.address) event.values["address"] = hex_text(*crash.address);
}

}  // namespace

bool MemoryKills::look() {
  const auto now = read();
  return std::exchange(seen_, now) < now;
}

std::uint64_t MemoryKills::read() const {
  std::ifstream in(file_);
  std::string name;
  std::uint64_t value = 0;
  while (in >> name >> value) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

Postmortem::Postmortem(Loop& loop, std::string memory_file)
    : memory_kills_(std::move(memory_file)), memory_look_(loop) {
  watch_memory();
}

/// So that a kill long ago is not taken for the reason of an end now.
void Postmortem::watch_memory() {
  memory_look_.start(kMemoryLook, [this] {
    (void)memory_kills_.look();
    watch_memory();
  });
}

void Postmortem::changed(const Unit& unit, const Status& status) {
  if (status.process.pid == 0) return;
  Life& life = lives_[unit.name];
  if (life.process == status.process) return;
  life = {status.process, status.state == State::starting ? log_size(unit.command.log) : 0};
}

Findings Postmortem::examine(const Unit& unit, const Exit& exit) {
  Findings findings;
  const Life life = lives_[unit.name];
  lives_.erase(unit.name);
  if (exit.how == Exit::How::never_started) return findings;
  findings.out_of_memory = memory_kills_.look();
  findings.log = last_lines(unit.command.log, life.log_begin);
  if (unit.crash_file.empty()) return findings;
  auto record = take_record(unit.crash_file);
  if (!record || !belongs(*record, life.process, exit)) return findings;
  findings.crash = std::move(*record);
  findings.stack = stack_text(findings.crash.frames, findings.crash.started);
  return findings;
}

ErrorEvent event_of(const Unit& unit, const Status& status, const Ended& ended, const Findings& findings) {
  const bool gives_up = ended.decision.action == Decision::Action::give_up;
  ErrorEvent event;
  event.agent = unit.name;
  event.severity = gives_up || ended.decision.crash_loop ? Severity::critical : Severity::error;
  event.category = "process";
  const Code& code = ended.decision.crash_loop ? codes::crash_loop : codes::process_exited;
  event.code = code.id;
  event.message = "{process} {why}; {next}";
  const auto again = ended.expected
                         ? "it was being stopped"
                         : "restart " + std::to_string(status.restarts) + " in " + to_text(ended.decision.delay);
  event.values = {{"process", unit.name},
                  {"why", how_it_ended(ended, findings)},
                  {"next", gives_up ? "it stays down until somebody starts it" : again},
                  {"status", ended.exit.how == Exit::How::exited ? Value(ended.exit.value) : Value()},
                  {"signal", ended.exit.how == Exit::How::signalled ? Value(signal_name(ended.exit.value)) : Value()},
                  {"restarts", status.restarts},
                  {"delay", to_text(ended.decision.delay)},
                  {"log", lines_of(findings.log)}};
  add_crash(event, findings);
  event.stack = findings.stack;
  event.exception = cause_of(findings.crash);
  // A crash is grouped by its place. Where a loop that hangs is looked at, is chance.
  const bool by_place = !event.exception.empty() && ended.reason != "watchdog";
  if (!by_place) event.fingerprint = event.code + ":" + unit.name + ":" + kind_of(ended, findings);
  return event;
}

std::optional<Findings> crash_of_former_node(const std::string& crash_file, const std::string& log) {
  auto record = take_record(crash_file);
  if (!record || record->signal == 0) return std::nullopt;
  Findings findings;
  findings.crash = std::move(*record);
  findings.stack = stack_text(findings.crash.frames, findings.crash.started);
  findings.log = last_lines(log, 0);
  return findings;
}

ErrorEvent event_of_former_node(const Findings& findings) {
  ErrorEvent event;
  event.severity = Severity::critical;
  event.category = "process";
  event.code = codes::process_exited.id;
  event.message = "the node before this one crashed: {why}";
  event.values = {{"why", cause_of(findings.crash)}, {"log", lines_of(findings.log)}};
  add_crash(event, findings);
  event.stack = findings.stack;
  event.exception = cause_of(findings.crash);
  return event;
}

}  // namespace weft::node
