// weft list and weft info: who is in the mesh.
#include <algorithm>
#include <filesystem>

#include "cli/node_survey.hpp"
#include "cli/session.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::cli {

namespace {

using wire::InstanceRecord;

std::vector<InstanceRecord> sorted(const std::vector<const InstanceRecord*>& records) {
  std::vector<InstanceRecord> out;
  for (const auto* record : records) out.push_back(*record);
  std::sort(out.begin(), out.end(), [](const InstanceRecord& a, const InstanceRecord& b) {
    return std::tie(a.agent, a.host, a.instance) < std::tie(b.agent, b.host, b.instance);
  });
  return out;
}

std::string health_of(const InstanceRecord& record) {
  std::string text(to_string(record.health));
  if (!record.confirmed) text += " (unconfirmed)";
  return record.health_text.empty() ? text : text + ": " + printable(record.health_text);
}

std::string uptime_of(const InstanceRecord& record, WallTime now) {
  return record.started_us == 0 ? "-" : age(now - wall_from_us(record.started_us));
}

int show(Session& session, const std::vector<InstanceRecord>& records, const char* source) {
  if (session.global().json) {
    Value document = Value::List();
    for (const auto& record : records) {
      Value entry = to_value(record);
      entry.set("source", source);
      document.as_list().push_back(std::move(entry));
    }
    print_json(document);
    return kDone;
  }
  Table table({"AGENT", "HOST", "VERSION", "HEALTH", "UP", "PID", "CALLS", "INSTANCE"});
  for (const auto& record : records) {
    table.add({record.agent, record.host, record.version, health_of(record),
               uptime_of(record, session.loop().clock().wall()), std::to_string(record.pid), record.call_endpoint,
               record.instance.to_string()});
  }
  table.print();
  return kDone;
}

Task<int> list(Session& session) {
  const auto reports = co_await ask_nodes(session, kAbsenceTimeout);
  note_absent(session.global(), absent_hosts(reports));
  co_return show(session, sorted(session.mesh().directory().all()), "registry");
}

/// While every registry is away, the processes of this host still know everybody: the first that answers is asked.
Task<int> list_from_peers(Session& session) {
  const std::string folder = session.context().run;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(folder, ignored), end; !folder.empty() && !ignored && at != end;
       at.increment(ignored)) {
    if (at->path().extension() != ".c") continue;
    calls::CallOptions options(500ms);
    std::string endpoint = "ipc://" + at->path().string();
    std::string method = std::string(wire::kWhoever) + "._peers";
    auto answer = co_await session.mesh().peer().call_at(std::move(endpoint), std::move(method),
                                                         wire::Payload::of(Value()), options);
    const auto reply = read_as<wire::PeersReply>(answer);
    if (!reply || reply->records.empty()) continue;
    std::vector<const InstanceRecord*> records;
    for (const auto& record : reply->records) records.push_back(&record);
    note(session.global(), "no registry answers: this is what " + at->path().stem().string() + " on this host knows");
    co_return show(session, sorted(records), "peers");
  }
  co_return Session::kNothing;
}

void print_instance(const InstanceRecord& record, WallTime now) {
  print_line(record.agent + "@" + record.host + "  " + record.instance.to_string());
  const auto line = [](const char* name, const std::string& text) {
    if (!text.empty())
      print_line("  " + std::string(name) + std::string(10 - std::string_view(name).size(), ' ') + text);
  };
  line("version", record.version);
  line("health", health_of(record));
  if (record.started_us != 0)
    line("up", uptime_of(record, now) + ", since " + to_rfc3339(wall_from_us(record.started_us)).substr(0, 19) + "Z");
  line("process", "pid " + std::to_string(record.pid) + ", epoch " + std::to_string(record.epoch));
  line("calls", record.call_endpoint);
  line("events", record.publish_endpoint);
  line("admin", record.admin.empty() ? "" : "http://" + record.admin + "/info");
  line("config", record.config_hash);
  line("registry", record.registry);
  line("publishes", joined(record.topics, ", "));
}

/// Once for all instances: they serve the same. Those of Weft itself, which begin with '_', only with --verbose.
void print_methods(const Global& global, const std::string& agent, const std::vector<InstanceRecord>& records) {
  std::map<std::string, wire::MethodInfo> methods;
  for (const auto& record : records) {
    for (const auto& method : record.methods) {
      if (global.verbose || !method.name.starts_with('_')) methods[method.name] = method;
    }
  }
  if (methods.empty()) return;
  print_line("methods");
  Table table({"  METHOD", "KIND", "WHAT IT DOES"});
  for (const auto& [name, method] : methods)
    table.add({"  " + agent + "." + name, printable(method.kind), printable(method.summary)});
  table.print();
}

Error unknown(const std::string& agent, const mesh::Directory& directory) {
  return Error(codes::unknown_agent,
               "no agent '" + agent + "' is in the mesh" + did_you_mean(agent, directory.agent_names()),
               "'weft list' shows who is");
}

Task<int> info(Session& session, const std::string& agent) {
  const auto& directory = session.mesh().directory();
  const auto records = sorted(directory.instances(agent));
  if (records.empty()) {
    co_return fail(session.global(), unknown(agent, directory));
  }
  if (session.global().json) {
    Value document;
    document.set("agent", agent);
    document.set("instances", to_value(records));
    print_json(document);
    co_return kDone;
  }
  for (const auto& record : records) print_instance(record, session.loop().clock().wall());
  print_methods(session.global(), agent, records);
  co_return kDone;
}

}  // namespace

std::vector<Verb> agent_verbs() {
  auto agent = std::make_shared<std::string>();
  return {
      {.name = "list",
       .summary = "List the agents of the mesh, on all hosts",
       .examples = {"weft list", "weft list --json | python3 -m json.tool", "weft list --context demo@alpha"},
       .run = [](const Global& global) { return run_in_mesh(global, list, Session::Role::onlooker, list_from_peers); },
       .alias = "ls"},
      {.name = "info",
       .summary = "Show an agent: its instances, methods, topics and health",
       .examples = {"weft info digest", "weft info sysmon --json"},
       .options = {text("agent", *agent, "AGENT", "Its name").required()},
       .run = [agent](const Global& global) {
         return run_in_mesh(global, [&](Session& session) { return info(session, *agent); });
       }}};
}

}  // namespace weft::cli
