#include "node/host_node.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "node/log_files.hpp"
#include "node/service.hpp"

namespace weft::node {
namespace {

namespace fs = std::filesystem;
constexpr Duration kAgentsBudget = 7s, kLeaveBudget = 500ms, kOrphanGrace = 5s, kRotation = 5s, kJoinTimeout = 3s;

mesh::MeshOptions mesh_options(program::Program& program) {
  auto options = mesh::options_from(program.config(), "node", program.version());
  options.tags["env"] = program.environment();
  options.owns_slot = true;  // by the lock of its run folder
  options.peer.tracer = &program.tracer();
  return options;
}

/// A few for each core: starting takes processor time, and a little waiting.
std::size_t starts_at_once() { return 4 * std::max(1U, std::thread::hardware_concurrency()); }

/// Exit codes that say more than "unavailable" are passed on.
int exit_code_for(const Exit& exit) {
  const bool telling = exit.how == Exit::How::exited && exit.value >= 64 && exit.value <= 78;
  return telling ? exit.value : program::exit_code::unavailable;
}

/// Sockets that killed processes left: named by an instance's id.
void remove_sockets(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_socket(ignored) && Ulid::parse(entry.path().filename().string().substr(0, 26)))
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

HostNode::HostNode(program::Program& program, const Prepared& prepared, Claims& claims, Progress& progress,
                   Background& background)
    : program_(program),
      prepared_(prepared),
      progress_(progress),
      background_(background),
      loop_(program.loop()),
      mesh_(
          program.loop(), peer::secured(context_, program.loop(), program.config()),
          [&] {
            auto options = mesh_options(program);
            options.admin = program.admin_address();
            return options;
          }(),
          program.metrics(), program.log(), program.health()),
      logs_lost_(
          program.metrics().counter("weft_node_logs_lost_total",
                                    "Processes that were started without their log file, as it could not be opened.")),
      processes_(
          make_launcher(loop_, [this](const Command& command, const Error& why) { log_lost(command.log, why); })),
      launcher_(*processes_, claims),
      metrics_(program.metrics()),
      postmortem_(loop_),
      announcer_(prepared.fleet, prepared.settings.host, prepared.settings.registry_port, mesh_, program.log(),
                 postmortem_),
      keeper_(loop_, [this] { write_processes(); }),
      supervisor_(loop_, launcher_, observers_, starts_at_once()),
      rotation_(loop_) {
  observers_.add(metrics_);
  observers_.add(postmortem_);
  observers_.add(announcer_);
  observers_.add(keeper_);
  observers_.add(progress_);
  observers_.add(*this);
  for (const auto& one : prepared_.units) supervisor_.add(one.unit);
}

HostNode::~HostNode() = default;

Result<void> HostNode::open() {
  auto socket = NotifySocket::open(loop_, prepared_.places.notify_socket(),
                                   [this](const Notification& said) { supervisor_.notified(said); });
  if (!socket) return socket.error();
  notify_ = std::move(*socket);
  supervisor_.before_judging([this] { notify_->drain(); });
  mesh_.watch([this](const wire::InstanceRecord& record, const wire::Removal* removed) {
    const std::string& host = prepared_.settings.host;
    if (removed || !record.confirmed || record.host != host || record.slot != record.agent + "@" + host) return;
    supervisor_.registered(record.agent, record.pid);
  });
  std::vector<std::string> fleet;
  for (const auto& one : prepared_.fleet.hosts) fleet.push_back(one.name);
  serve_node(mesh_, supervisor_, loop_,
             {.mesh = prepared_.fleet.mesh,
              .host = prepared_.settings.host,
              .log = prepared_.places.log_of("node"),
              .fleet = std::move(fleet)},
             {.reopen_log = [this] { program_.log().check_file(); },
              .shut_down = [this] { program_.quit(program::exit_code::ok); }});
  program_.at_abrupt_end([this] { clean_up(); });
  mesh_.on_fenced([this] { announcer_.slot_taken(); });
  if (auto begun = mesh_.start(); !begun) return begun.error();
  for (const auto& line : remote_needs(prepared_.fleet, prepared_.settings.host))
    program_.log().info("a need on another host", {{"what", line}});
  program_.health().set("processes", false, "starting");
  rotate_logs();
  tasks_.spawn(start_up());
  return {};
}

Task<void> HostNode::start_up() {
  co_await adopt_or_end();
  if (auto free = check_ports(); !free) {
    const bool taken = free.error().is(codes::port_taken);
    co_return give_up(free.error(), taken ? program::exit_code::temporary : program::exit_code::config);
  }
  supervisor_.start();
  std::function<bool()> base_is_up = [this] {
    if (!failed_first_.empty()) return true;
    return std::all_of(prepared_.units.begin(), prepared_.units.end(), [this](const PlacedUnit& one) {
      return !one.infrastructure || std::as_const(supervisor_).find(one.unit.name)->status().state == State::ready;
    });
  };
  co_await supervisor_.when(std::move(base_is_up));
  if (!failed_first_.empty()) {
    const Error why(codes::start_failed, "the " + failed_first_ + " of this host " + first_failure_.why);
    co_return give_up(why, exit_code_for(first_failure_.exit));
  }
  came_up_ = true;
  const auto& host = prepared_.host();
  co_await supervisor_.settled();
  (void)co_await mesh_.ready(kJoinTimeout);
  write_http_address();
  program_.ready();
  progress_.finish(supervisor_, prepared_.fleet, host, prepared_.settings.registry_port);
  const auto& children = supervisor_.children();
  const bool all_fine = std::all_of(children.begin(), children.end(), [](const auto& child) {
    return child->status().state == State::ready || child->status().state == State::done;
  });
  background_.release(all_fine ? program::exit_code::ok : program::exit_code::failed);
}

/// The registry says itself where its admin door is: admin.bind and admin.port are its own settings.
void HostNode::write_http_address() {
  for (const auto* record : mesh_.directory().instances(kRegistry.name)) {
    if (record->host != prepared_.settings.host || record->admin.empty()) continue;
    auto written = write_context(prepared_.places.context_file, context_of(prepared_, record->admin));
    if (!written) program_.log().error("command-line tools cannot find the registry's pages", written.error());
  }
}

Task<void> HostNode::adopt_or_end() {
  std::vector<ProcessNote> strangers;
  for (auto& note : read_process_file(prepared_.places.process_file(), boot_)) {
    const PlacedUnit* mine = placed(note.agent);
    if (mine && note.ready && mine->fingerprint == note.fingerprint && supervisor_.adopt(note.agent, note.id())) {
      program_.log().info("process adopted", {{"process", note.agent}, {"child_pid", note.pid}});
    } else {
      strangers.push_back(std::move(note));
    }
  }
  if (strangers.empty()) co_return;
  for (const auto& note : strangers)
    program_.log().info("process of a former node ends", {{"process", note.agent}, {"child_pid", note.pid}});
  co_await end_processes(loop_, launcher_, std::move(strangers), kOrphanGrace);
}

Result<void> HostNode::check_ports() const {
  const auto& address = prepared_.host().address;
  const auto check = [&](const std::string& owner, std::uint16_t port) -> Result<void> {
    const Child* child = std::as_const(supervisor_).find(owner);
    if (child && child->has_process()) return {};  // adopted: the port is its own
    auto free = port_free(address, port);
    if (free) return {};
    auto error = free.error();
    error.message += " (wanted by " + owner + ")";
    return error;
  };
  std::vector<std::pair<std::string, std::uint16_t>> wanted;
  for (const auto& service : kInfrastructure) {
    const std::string name(service.name);
    const auto want = [&](const char* key) {
      wanted.emplace_back(name, program_.config().get<std::uint16_t>(name + key));
    };
    want(".port");
    if (service.publish_port != 0) want(".publish_port");
  }
  for (const auto* agent : prepared_.fleet.placed_on(prepared_.settings.host)) {
    for (const auto port : agent->ports) wanted.emplace_back(agent->name, port);
  }
  for (const auto& [owner, port] : wanted) {
    if (auto free = check(owner, port); !free) return free;
  }
  return {};
}

void HostNode::give_up(const Error& error, int exit_code) {
  program_.log().error("this host cannot start", error);
  progress_.fail(error, failed_first_.empty() ? "" : prepared_.places.log_of(failed_first_));
  background_.release(exit_code);
  program_.quit(exit_code);
}

void HostNode::changed(const Unit&, const Status&) {
  std::string down;
  for (const auto& child : supervisor_.children()) {
    const auto state = child->status().state;
    if (state == State::ready || state == State::done || state == State::stopped) continue;
    down += (down.empty() ? "" : ", ") + child->unit().name + " " + std::string(to_string(state));
  }
  program_.health().set("processes", down.empty(), down);
  mesh_.set_health(down.empty() ? wire::HealthState::passing : wire::HealthState::warning, down);
}

void HostNode::ended(const Unit& unit, const Status&, const Ended& ended) {
  const PlacedUnit* one = placed(unit.name);
  if (came_up_ || ended.expected || !one || !one->infrastructure || !failed_first_.empty()) return;
  failed_first_ = unit.name;
  first_failure_ = ended;
}

Task<void> HostNode::drain() {
  progress_.say("stopping");
  background_.release(program::exit_code::failed);  // without effect unless the start was still waited for
  rotation_.stop();
  const auto end = loop_.now() + kStopBudget - 500ms;
  co_await supervisor_.stop(names(false), kAgentsBudget);
  co_await mesh_.drain(kLeaveBudget);
  co_await supervisor_.stop(names(true), std::max<Duration>(end - loop_.now(), 500ms));
  write_processes();
}

void HostNode::clean_up() noexcept {
  supervisor_.kill_all();
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  notify_.reset();
  std::error_code ignored;
  const auto& places = prepared_.places;
  remove_sockets(places.run);
  for (const auto& file : {places.process_file(), places.lock_file(), places.context_file}) fs::remove(file, ignored);
  for (const auto& one : prepared_.units) fs::remove(one.unit.crash_file, ignored);
  fs::remove(places.crash_file("node"), ignored);
  (void)::rmdir(places.run.c_str());  // unless others keep something there
}

void HostNode::write_processes() {
  std::vector<ProcessNote> notes;
  for (const auto& child : supervisor_.children()) {
    if (!child->has_process()) continue;
    const auto& status = child->status();
    notes.push_back({child->unit().name, status.process.pid, status.process.start_ticks,
                     placed(child->unit().name)->fingerprint, status.state == State::ready});
  }
  auto written = write_process_file(prepared_.places.process_file(), boot_, std::move(notes));
  if (!written) program_.log().error("a later node could not find these processes", written.error());
}

/// The process runs without its log file: the log, the error bus and a metric say so.
void HostNode::log_lost(const std::string& file, const Error& why) {
  program_.log().error("a log file cannot be opened; the process logs to the log of the node", why, {{"file", file}});
  logs_lost_.add();
  ErrorEvent event;
  event.severity = Severity::error;
  event.category = "process";
  event.code = why.code;
  event.message = "the log {file} cannot be opened, and its process logs to the log of the node: {why}";
  event.values = {{"file", file}, {"why", why.message}};
  mesh_.report(std::move(event));
}

void HostNode::rotate_logs() {
  for (const auto& child : supervisor_.children()) {
    if (auto done = rotate_log(child->unit().command.log); !done)
      program_.log().error("a log cannot be rotated", done.error());
  }
  (void)rotate_log(prepared_.places.log_of("node"));
  rotation_.start(kRotation, [this] { rotate_logs(); });
}

std::vector<std::string> HostNode::names(bool infrastructure) const {
  std::vector<std::string> out;
  for (const auto& one : prepared_.units) {
    if (one.infrastructure == infrastructure) out.push_back(one.unit.name);
  }
  return out;
}

const PlacedUnit* HostNode::placed(std::string_view name) const {
  for (const auto& one : prepared_.units) {
    if (one.unit.name == name) return &one;
  }
  return nullptr;
}

}  // namespace weft::node
