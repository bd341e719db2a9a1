// weft tree: the live supervision tree of an agent's actors.
#include <algorithm>
#include <map>

#include "cli/session.hpp"
#include "weft/agent/tree.hpp"

namespace weft::cli {

namespace {

constexpr std::size_t kShown = 20;  // children of one actor, without --all

struct TreeArguments {
  std::string agent, host;
  bool all = false;
};

/// What a person looks for first: what is not well, then what waits, then by name.
bool before(const TreeActor& a, const TreeActor& b) {
  const auto rank = [](const TreeActor& actor) {
    return std::make_tuple(actor.state == "running", actor.restarts == 0, actor.depth == 0);
  };
  return std::make_tuple(rank(a), a.name.empty(), std::string_view(a.name), a.id) <
         std::make_tuple(rank(b), b.name.empty(), std::string_view(b.name), b.id);
}

std::string plural(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

class TreePrinter {
 public:
  TreePrinter(const TreeReply& reply, bool all) : all_(all) {
    for (const auto& actor : reply.actors) ids_.emplace(actor.id, &actor);
    for (const auto& actor : reply.actors) {
      const bool known = ids_.count(actor.parent) > 0 && actor.parent != actor.id;
      children_[known ? actor.parent : 0].push_back(&actor);
    }
    for (auto& [id, list] : children_)
      std::sort(list.begin(), list.end(), [](const auto* a, const auto* b) { return before(*a, *b); });
  }
  void print() {
    add_children(0, 0);
    table_.print();
  }

 private:
  void add_children(std::uint64_t parent, std::size_t level) {
    const auto found = children_.find(parent);
    if (found == children_.end()) return;
    const auto& list = found->second;
    const std::size_t shown = all_ ? list.size() : std::min(list.size(), kShown);
    for (std::size_t i = 0; i < shown; ++i) {
      add(*list[i], level);
      add_children(list[i]->id, level + 1);
    }
    if (shown < list.size()) {
      table_.add({std::string(2 * level, ' ') + "… " + std::to_string(list.size() - shown) + " more (--all)", "", "",
                  "", "", ""});
    }
  }
  void add(const TreeActor& actor, std::size_t level) {
    const std::string name = actor.name.empty()
                                 ? "#" + std::to_string(actor.id >> 32) + "." + std::to_string(actor.id & 0xffffffffU)
                                 : printable(actor.name);
    const std::string capacity = actor.capacity == 0 ? "" : "/" + std::to_string(actor.capacity);
    const bool waits = actor.busy || actor.depth > 0;
    table_.add({std::string(2 * level, ' ') + name, actor.supervisor ? "supervisor" : printable(actor.type),
                printable(actor.state), actor.restarts < 255 ? std::to_string(actor.restarts) : "255+",
                std::to_string(actor.depth) + capacity,
                waits ? to_text(std::chrono::milliseconds(actor.oldest_ms)) : "-"});
  }

  bool all_;
  std::map<std::uint64_t, const TreeActor*> ids_;
  std::map<std::uint64_t, std::vector<const TreeActor*>> children_;
  Table table_{{"ACTOR", "CLASS", "STATE", "RESTARTS", "MAILBOX", "OLDEST"}};
};

void print_tree(const wire::InstanceRecord& record, const TreeReply& reply, bool all) {
  print_line(record.agent + "@" + record.host + "  " + record.instance.to_string() + "  on " +
             printable(reply.scheduler) + "  " + plural(reply.live, "actor") + ", " +
             plural(reply.failures, "failure") + ", " + plural(reply.restarts, "restart") + ", " +
             plural(reply.dead_letters, "dead letter"));
  TreePrinter(reply, all).print();
  if (reply.actors.size() < reply.live)
    print_line("(" + std::to_string(reply.live - reply.actors.size()) + " more actors were not asked for: --all)");
}

Task<Result<TreeReply>> ask(Session& session, const wire::InstanceRecord& record, bool all) {
  calls::CallOptions options(session.global().timeout);
  options.instance = record.instance.to_string();
  TreeRequest request;
  if (all) request.limit = TreeRequest::kLimitMax;
  const std::string target = record.agent + "._tree";
  auto answer = co_await session.mesh().call(target, wire::Payload::of(request), options);
  if (!answer) co_return answer.error();
  co_return answer->as<TreeReply>();
}

Error nobody(const TreeArguments& arguments, const mesh::Directory& directory) {
  const auto running = directory.instances(arguments.agent);
  if (running.empty()) {
    return Error(
        codes::unknown_agent,
        "no agent '" + arguments.agent + "' is in the mesh" + did_you_mean(arguments.agent, directory.agent_names()),
        "'weft list' shows who is");
  }
  std::vector<std::string> hosts;
  for (const auto* record : running) hosts.push_back(record->host);
  return Error(codes::unknown_agent, "agent '" + arguments.agent + "' does not run on host '" + arguments.host +
                                         "', but on " + joined(hosts, ", "));
}

/// One instance that did not answer does not hide the others.
Value tell_failed(const Global& global, const wire::InstanceRecord& record, const Error& error) {
  const std::string who = record.agent + "@" + record.host;
  Error named = error;
  named.message = error.is(codes::no_such_method) ? who + " has no actors" : who + ": " + error.message;
  if (!global.json) (void)fail(global, named);
  Value entry = error_document(error);
  entry.set("agent", record.agent);
  entry.set("host", record.host);
  return entry;
}

Task<int> tree(Session& session, const TreeArguments& arguments) {
  const auto& directory = session.mesh().directory();
  std::vector<wire::InstanceRecord> records;
  for (const auto* record : directory.instances(arguments.agent)) {
    if (arguments.host.empty() || record->host == arguments.host) records.push_back(*record);
  }
  if (records.empty()) co_return fail(session.global(), nobody(arguments, directory));
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return std::tie(a.host, a.instance) < std::tie(b.host, b.instance); });
  int code = kDone;
  Value document = Value::List();
  for (const auto& record : records) {
    auto reply = co_await ask(session, record, arguments.all || session.global().json);
    if (!reply) {
      code = kFailed;
      Value entry = tell_failed(session.global(), record, reply.error());
      document.as_list().push_back(std::move(entry));
    } else if (session.global().json) {
      document.as_list().push_back(to_value(*reply));
    } else {
      print_tree(record, *reply, arguments.all);
    }
  }
  if (session.global().json) print_json(document);
  co_return code;
}

}  // namespace

std::vector<Verb> tree_verbs() {
  auto arguments = std::make_shared<TreeArguments>();
  return {{.name = "tree",
           .summary = "Show the live supervision tree of an agent: states, restarts, mailboxes",
           .examples = {"weft tree probe", "weft tree probe --host alpha --all", "weft tree digest --json"},
           .options = {text("agent", arguments->agent, "AGENT", "Its name").required(),
                       text("--host", arguments->host, "HOST", "Only the instance on this host"),
                       flag("--all", arguments->all, "All children of each actor, not the first 20")},
           .run = [arguments](const Global& global) {
             return run_in_mesh(global, [&](Session& session) { return tree(session, *arguments); });
           }}};
}

}  // namespace weft::cli
