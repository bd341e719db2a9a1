// weft up, down and ps: the processes of the mesh, through the nodes that run them.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "cli/fleet_config.hpp"
#include "cli/node_survey.hpp"
#include "cli/running_node.hpp"
#include "cli/session.hpp"
#include "node/node.hpp"

namespace weft::cli {
namespace {

// ---- up

struct UpOptions {
  std::string host, fleet, state, run, environment, config_directory;
  std::vector<std::string> addresses;
  bool detach = false, dry_run = false;
};

/// What would start, in which order.
int show_plan(const Global& global, const UpOptions& options) {
  const auto addresses = node::addresses_from(options.addresses);
  if (!addresses) return fail(global, addresses.error());
  const auto read = node::read_fleet(options.fleet, *addresses);
  for (const auto& mistake : read.mistakes) note(global, mistake.describe());
  if (!read.mistakes.empty()) return fail(global, Error(codes::bad_fleet, options.fleet + " has mistakes"));
  Value hosts;
  for (const auto& host : read.fleet.hosts) {
    if (!options.host.empty() && host.name != options.host) continue;
    auto order = node::batches(read.fleet.graph_of(host.name));
    const auto first = node::infrastructure_names();
    for (std::size_t i = 0; i < first.size(); ++i)
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(i), {first[i]});
    hosts.set(host.name, to_value(order));
    if (global.json) continue;
    print_line(host.name + " (" + host.address + (host.hub ? ", hub)" : ")"));
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::string names;
      for (const auto& name : order[i]) names += " " + name;
      print_line("  " + std::to_string(i + 1) + "." + names);
    }
  }
  config::LoadOptions load;
  load.directory = config::find_directory(options.config_directory);
  load.environment = options.environment;
  load.variables = config_variables();
  const auto mistakes = check_fleet_config(options.fleet, load, options.host);
  for (const auto& mistake : mistakes) note(global, mistake.describe());
  if (!mistakes.empty())
    return fail(global, Error(codes::bad_fleet, options.fleet + ": programs or their configuration have mistakes"));
  if (hosts.is_null()) return fail(global, Error(codes::bad_usage, "the fleet has no host '" + options.host + "'"));
  if (global.json) print_json(hosts);
  return kDone;
}

int up(const Global& global, const UpOptions& options) {
  if (options.dry_run) return show_plan(global, options);
  const auto program = node::find_program("weft-node", ".");
  if (!program) return fail(global, program.error());
  std::vector<std::string> words{*program, "--progress", "--fleet", options.fleet};
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {flag, value});
  };
  add("--host", options.host);
  for (const auto& address : options.addresses) add("--address", address);
  add("--state", options.state);
  add("--run", options.run);
  add("--env", options.environment);
  add("--config-dir", options.config_directory);
  if (options.detach) words.emplace_back("--detach");
  if (global.json) words.emplace_back("--json");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  return fail(global, Error(codes::start_failed, *program + ": " + std::strerror(errno)));
}

// ---- down

constexpr Duration kDownTimeout = 15s, kUpGrace = 500ms;

Result<std::vector<node::Context>> choose_nodes(const Global& global, const std::string& host) {
  std::vector<node::Context> chosen;
  std::vector<std::string> names;
  for (auto& context : node::live_contexts()) {
    names.push_back(context.name());
    const bool asked = global.context.empty() || global.context == context.name() || global.context == context.mesh;
    if (asked && (host.empty() || host == context.host)) chosen.push_back(std::move(context));
  }
  if (chosen.empty() && (!host.empty() || !global.context.empty()))
    return Error(codes::unknown_agent,
                 "no node of '" + (host.empty() ? global.context : host) + "' runs here" +
                     did_you_mean(host.empty() ? global.context : host, {names.begin(), names.end()}));
  const auto other =
      std::find_if(chosen.begin(), chosen.end(), [&](const auto& context) { return context.mesh != chosen[0].mesh; });
  if (other != chosen.end())
    return Error(codes::bad_usage, "several meshes run here: " + chosen[0].mesh + " and " + other->mesh,
                 "say which with --context MESH");
  return chosen;
}

/// A node that was started a moment ago has no context yet: what is not found is looked for a little longer.
Result<std::vector<node::Context>> wait_for_nodes(const Global& global, const std::string& host) {
  const SystemClock clock;
  const auto end = clock.now() + kUpGrace;
  auto chosen = choose_nodes(global, host);
  while ((!chosen || chosen->empty()) && clock.now() < end) {
    std::this_thread::sleep_for(10ms);
    chosen = choose_nodes(global, host);
  }
  return chosen;
}

int down(const Global& global, const std::string& host) {
  auto chosen = wait_for_nodes(global, host);
  if (!chosen) return fail(global, chosen.error());
  if (chosen->empty()) note(global, "no mesh runs here");
  const SystemClock clock;
  const auto began = clock.now();
  std::vector<RunningNode> nodes(chosen->begin(), chosen->end());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].terminate())
      return fail(global, Error(codes::io_failed, "the node of " + (*chosen)[i].name() + ", process " +
                                                      std::to_string((*chosen)[i].pid) + ": " + std::strerror(errno)));
  }
  Value stopped = Value::List();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& context = (*chosen)[i];
    if (!nodes[i].ends_within(kDownTimeout - (clock.now() - began)))
      return fail(global, Error(codes::deadline_exceeded,
                                context.name() + " does not stop, process " + std::to_string(context.pid),
                                "see " + context.state + "/log/node.log"));
    note(global, fmt::format("{} stopped after {:.1f} s", context.name(), to_seconds(clock.now() - began)));
    stopped.as_list().push_back(context.name());
  }
  if (global.json) print_json(stopped);
  return kDone;
}

// ---- ps

const wire::InstanceRecord* record_of(const mesh::Directory& directory, const std::string& agent,
                                      const std::string& host) {
  for (const auto* record : directory.instances(agent)) {
    if (record->host == host) return record;
  }
  return nullptr;
}

std::string health_of(const wire::InstanceRecord* record) {
  if (!record) return "-";
  return std::string(to_string(record->health)) + (record->confirmed ? "" : " (unconfirmed)");
}

/// What is wrong with a process, or else with its health.
std::string note_of(const node::ProcessRow& row, const wire::InstanceRecord* record) {
  return printable(row.text.empty() && record ? record->health_text : row.text);
}

Task<int> ps(Session& session) {
  const auto reports = co_await ask_nodes(session);
  const auto& directory = session.mesh().directory();
  const auto now = session.loop().clock().wall();
  Value hosts = Value::List();
  Table table({"HOST", "AGENT", "STATE", "HEALTH", "PID", "RESTARTS", "SINCE", "NOTE"});
  bool complete = true;
  for (const auto& report : reports) {
    const auto& host = report.node.host;
    Value entry;
    entry.set("host", host);
    entry.set("answers", report.reply.has_value());
    Value rows = Value::List();
    table.add({host, "node", report.reply ? "ready" : "silent", health_of(&report.node),
               std::to_string(report.node.pid), "-", age(now - wall_from_us(report.node.started_us)),
               printable(report.reply ? report.node.health_text : report.reply.error().message)});
    if (!report.reply) {
      complete = false;
      entry.set("error", error_document(report.reply.error()));
    }
    for (const auto& row : report.reply ? report.reply->processes : std::vector<node::ProcessRow>()) {
      const auto* record = record_of(directory, row.agent, host);
      table.add({host, row.agent, row.state, health_of(record), row.pid ? std::to_string(row.pid) : "-",
                 std::to_string(row.restarts), age(now - wall_from_us(row.since_us)), note_of(row, record)});
      Value one = to_value(row);
      one.set("health", health_of(record));
      one.set("health_text", record ? record->health_text : "");
      rows.as_list().push_back(std::move(one));
    }
    entry.set("processes", std::move(rows));
    hosts.as_list().push_back(std::move(entry));
  }
  const auto absent = absent_hosts(reports);
  for (const auto& host : absent) {
    table.add({host, "node", "absent", "-", "-", "-", "-", "in the fleet file, but not in the mesh"});
    Value entry;
    entry.set("host", host);
    entry.set("answers", false);
    entry.set("absent", true);
    entry.set("processes", Value::List());
    hosts.as_list().push_back(std::move(entry));
  }
  if (session.global().json) {
    print_json(hosts);
  } else if (reports.empty()) {
    note(session.global(), "no node is in this mesh; weft list shows who is");
  } else {
    table.print();
  }
  note_absent(session.global(), absent);
  co_return complete&& absent.empty() ? kDone : kFailed;
}

Verb up_verb() {
  auto options = std::make_shared<UpOptions>();
  return {
      .name = "up",
      .summary = "Start what a fleet file places on this host",
      .examples = {"weft up --host alpha --fleet fleet.yaml", "weft up --host alpha --fleet fleet.yaml --detach",
                   "weft up --fleet fleet.yaml --dry-run"},
      .options = {text("--fleet", options->fleet, "FILE", "The fleet file").required(),
                  text("--host", options->host, "HOST", "Which host of the fleet this is"),
                  texts("--address", options->addresses, "HOST=ADDRESS", "Another address than the fleet file's")
                      .several_words(),
                  text("--state", options->state, "DIR", "Databases and logs"),
                  text("--run", options->run, "DIR", "Sockets; a short path"),
                  text("--env", options->environment, "ENV", "Another environment than the fleet file's"),
                  text("--config-dir", options->config_directory, "DIR", "The configuration directory"),
                  flag("--detach,-d", options->detach, "Go to the background when everything is ready or has failed"),
                  flag("--dry-run", options->dry_run, "Show the order, start nothing")},
      .run = [options](const Global& global) { return up(global, *options); }};
}

}  // namespace

std::vector<Verb> node_verbs() {
  auto host = std::make_shared<std::string>();
  return {up_verb(),
          {.name = "down",
           .summary = "Stop the nodes of this machine, and all that they run",
           .examples = {"weft down", "weft down --host alpha"},
           .options = {text("--host", *host, "HOST", "Only this host")},
           .run = [host](const Global& global) { return down(global, *host); }},
          {.name = "ps",
           .summary = "Show the processes of all hosts",
           .examples = {"weft ps", "weft ps --json"},
           .run = [](const Global& global) { return run_in_mesh(global, ps); }}};
}

}  // namespace weft::cli
