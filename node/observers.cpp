#include "node/observers.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

#include "node/log_files.hpp"
#include "node/ps_rows.hpp"

namespace weft::node {
namespace {
constexpr Duration kDeregisterTimeout = 500ms;
constexpr std::size_t kExcerptLines = 12;
}  // namespace

// ---- metrics

namespace {
observe::Counter& restarts(observe::Metrics& metrics, const std::string& agent, std::string_view reason) {
  return metrics.counter("weft_agent_restarts_total", "Restarts after an end that nobody had asked for",
                         {{"agent", agent}, {"reason", std::string(reason)}});
}
}  // namespace

void ProcessMetrics::changed(const Unit& unit, const Status& status) {
  if (states_.insert_or_assign(unit.name, status.state).second) {
    for (const auto* reason : {"exit", "signal"}) (void)restarts(metrics_, unit.name, reason);
  }
  std::array<double, kStates> counts{};
  for (const auto& [name, state] : states_) counts[static_cast<std::size_t>(state)] += 1;
  for (std::size_t i = 0; i < kStates; ++i) {
    const std::string state(to_string(static_cast<State>(i)));
    metrics_.gauge("weft_agent_state", "1 for the state a process is in", {{"agent", unit.name}, {"state", state}})
        .set(status.state == static_cast<State>(i) ? 1 : 0);
    metrics_.gauge("weft_node_agents", "Processes of this node by state", {{"state", state}}).set(counts[i]);
  }
}

void ProcessMetrics::ended(const Unit& unit, const Status&, const Ended& ended) {
  if (ended.expected || ended.decision.action != Decision::Action::restart) return;
  restarts(metrics_, unit.name, ended.reason).add();
}

// ---- log and mesh

Announcer::Announcer(const Fleet& fleet, std::string host, std::uint16_t registry_port, mesh::Mesh& mesh,
                     observe::Log& log, Postmortem& postmortem)
    : fleet_(fleet),
      host_(std::move(host)),
      registry_port_(registry_port),
      mesh_(mesh),
      log_(log),
      postmortem_(postmortem) {}

void Announcer::changed(const Unit& unit, const Status& status) {
  if (status.state == State::starting)
    log_.info("process started", {{"process", unit.name}, {"child_pid", status.process.pid}});
  if (status.state == State::ready)
    log_.info("process ready", {{"process", unit.name}, {"seconds", to_seconds(status.startup)}});
  if (status.state == State::waiting && !status.why.empty())
    log_.info("process waits", {{"process", unit.name}, {"why", status.why}});
}

void Announcer::ended(const Unit& unit, const Status& status, const Ended& ended) {
  const Findings findings = postmortem_.examine(unit, ended.exit);
  if (ended.expected && findings.crash.signal == 0) {
    log_.info("process stopped", {{"process", unit.name}, {"how", ended.why}});
  } else if (!ended.expected && ended.decision.action == Decision::Action::rest) {
    log_.info("process done", {{"process", unit.name}, {"how", ended.why}});
  } else {
    report(unit, status, ended, findings);
  }
  if (ended.exit.how != Exit::How::never_started) notify_registries(unit.name, ended.why);
}

void Announcer::slot_taken() {
  ErrorEvent event;
  event.severity = Severity::error;
  event.category = "registry";
  event.code = codes::fenced.id;
  event.message = "another instance registered as {slot}; this node holds the lock of its host and takes the slot back";
  event.values = {{"slot", "node@" + host_}};
  log_.error("this node's slot was taken", Error(codes::fenced, event.text(), "is host.name used by two machines?"));
  mesh_.report(std::move(event));
}

void Announcer::report(const Unit& unit, const Status& status, const Ended& ended, const Findings& findings) {
  ErrorEvent event = event_of(unit, status, ended, findings);
  for (const auto* record : mesh_.directory().instances(unit.name)) {
    if (record->slot != unit.name + "@" + host_) continue;
    event.instance = record->instance;
    event.epoch = record->epoch;
    event.version = record->version;
  }
  const Code& code = ended.decision.crash_loop ? codes::crash_loop : codes::process_exited;
  log_.error("process ended", Error(code, event.text(), "its log: " + unit.command.log), {{"process", unit.name}});
  mesh_.report(std::move(event));
}

void Announcer::notify_registries(const std::string& agent, const std::string& why) {
  if (agent == "registry") return;  // the one to tell is gone itself, or a new one knows better
  const std::string slot = agent + "@" + host_;
  std::set<std::string> told;
  for (const auto* record : mesh_.directory().instances(agent)) {
    if (record->slot != slot) continue;
    const FleetHost* at = fleet_.host(record->registry);
    if (!at) continue;
    wire::DeregisterRequest request;
    request.instance = record->instance.to_string();  // the next one of this slot is not meant
    request.reason = why;
    tasks_.spawn(deregister(endpoint(at->address, registry_port_), std::move(request)));
    told.insert(record->registry);
  }
  if (!told.empty()) return;
  wire::DeregisterRequest request;
  request.slot = slot;
  request.reason = why;
  tasks_.spawn(deregister(endpoint(fleet_.host(host_)->address, registry_port_), std::move(request)));
}

Task<void> Announcer::deregister(std::string registry, wire::DeregisterRequest request) {
  calls::CallOptions options;
  options.timeout = kDeregisterTimeout;
  auto payload = wire::Payload::of(request);
  auto done = co_await mesh_.peer().call_at(std::move(registry), "registry.deregister", std::move(payload), options);
  if (!done) log_.debug("a registry was not told of an end", {{"error", done.error().message}});
}

// ---- a person

std::string Progress::elapsed() const { return fmt::format("{:6.2f} s", to_seconds(loop_.now() - began_)); }

void Progress::say(const std::string& line) {
  if (style_ != Style::text || closed_) return;
  fmt::print(out_, "[{}] {}\n", elapsed(), line);
  std::fflush(out_);
}

void Progress::complain(const std::string& text) {
  if (style_ == Style::silent || closed_) return;
  fmt::print(messages_, "{}", text);
  std::fflush(messages_);
}

void Progress::close() {
  if (!start_only_ || std::exchange(closed_, true)) return;
  std::fflush(out_);
  if (messages_ != stderr) std::fclose(messages_);
}

void Progress::changed(const Unit& unit, const Status& status) {
  if (status.state != State::ready) return;
  const bool adopted = status.startup == Duration::zero();
  say(fmt::format("{:<16} {}", unit.name,
                  adopted ? fmt::format("still runs, process {}", status.process.pid)
                          : fmt::format("ready in {:.2f} s", to_seconds(status.startup))));
}

void Progress::ended(const Unit& unit, const Status&, const Ended& ended) {
  if (ended.expected) return say(fmt::format("{:<16} stopped", unit.name));
  const auto action = ended.decision.action;
  if (action == Decision::Action::rest) return say(fmt::format("{:<16} done", unit.name));
  const bool again = action == Decision::Action::restart;
  complain(fmt::format("[{}] {:<16} {}{}\n{}", elapsed(), unit.name, ended.why,
                       again ? "; restart in " + to_text(ended.decision.delay) : ": failed",
                       again ? "" : log_excerpt(unit.command.log)));
}

void Progress::fail(const Error& error, const std::string& log) {
  complain("weft-node: " + error.describe() + "\n" + (log.empty() ? "" : log_excerpt(log)));
  close();
  closed_ = true;  // what follows is only the way down
}

void Progress::finish(const Supervisor& supervisor, const Fleet& fleet, const FleetHost& host,
                      std::uint16_t registry_port) {
  if (style_ == Style::json) {
    fmt::print(out_, "{}\n", to_json(to_value(ps_reply(supervisor, fleet.mesh, host.name, loop_.clock()))));
  } else if (style_ == Style::text) {
    fmt::print(out_, "\n{:<16} {:<9} {:>8} {:>8}\n", "AGENT", "STATE", "PID", "STARTUP");
    for (const auto& child : supervisor.children()) {
      const auto& status = child->status();
      fmt::print(out_, "{:<16} {:<9} {:>8} {:>6.2f} s  {}\n", child->unit().name, to_string(status.state),
                 status.process.pid, to_seconds(status.startup), status.state == State::ready ? "" : status.why);
    }
    fmt::print(out_, "\nmesh {}, host {}, registry {}\n", fleet.mesh, host.name, endpoint(host.address, registry_port));
  }
  std::fflush(out_);
  close();
}

std::string log_excerpt(const std::string& file) {
  const auto page = log_tail(file, kExcerptLines, 8 * 1024);
  if (page.text.empty()) return "  its log " + file + " is empty\n";
  std::string out = "  the end of " + file + ":\n";
  for (const auto line : split(page.text, '\n')) {
    if (!line.empty()) out += "    " + std::string(line) + "\n";
  }
  return out;
}

}  // namespace weft::node
