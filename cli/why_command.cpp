// weft why: what a call, a topic or an agent would meet or waits for, told by the code that decides.
#include <algorithm>

#include "cli/node_survey.hpp"
#include "cli/survey.hpp"
#include "cli/target.hpp"
#include "cli/why_message.hpp"
#include "weft/mesh/hints.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::cli {

namespace {

struct WhyArguments {
  std::string what, from;
};

void print_call(const wire::CallExplanation& why) {
  Table instances({"", "HOST", "INSTANCE", "CIRCUIT", "IN FLIGHT", "ROUND TRIP", "WHY"});
  for (const auto& one : why.instances) {
    if (one.chosen && !why.refused)
      print_line(printable(why.target) + " goes to " + printable(one.instance) + " on " + printable(one.host));
    const auto round_trip = std::chrono::duration<double, std::milli>(one.round_trip_ms);
    instances.add({one.chosen ? "->" : "", printable(one.host), printable(one.instance), printable(one.breaker),
                   std::to_string(one.in_flight),
                   one.round_trip_ms > 0 ? shown_time(std::chrono::duration_cast<Duration>(round_trip)) : "unknown",
                   printable(one.reason)});
  }
  if (why.refused) print_line(printable(why.target) + " is refused: " + printable(*why.refused));
  if (!why.instances.empty()) instances.print();
  Table policy({"POLICY", "VALUE", "OF", "FROM"});
  for (const auto& one : why.policy) {
    policy.add({printable(one.key), one.value.is_string() ? printable(one.value.as_string()) : to_json(one.value),
                printable(one.pattern), printable(one.where)});
  }
  if (!why.policy.empty()) policy.print();
}

Task<Result<wire::CallExplanation>> explain(Session& session, Target target, std::string from) {
  calls::CallOptions options(session.global().timeout);
  options.host = target.host;
  if (from.empty()) co_return session.mesh().explain_call(target.text(), options);
  auto who = parse_who(from);
  if (!who) co_return who.error();
  calls::CallOptions ask(session.global().timeout);
  ask.host = who->host;
  const wire::WhyRequest request{target.text(), target.host};
  std::string method = who->agent + "._why";
  const wire::Payload payload = wire::Payload::of(request);
  auto answer = co_await session.mesh().call(std::move(method), payload, ask);
  if (!answer) co_return answer.error();
  co_return answer->as<wire::CallExplanation>();
}

/// What the instances would answer: they are there, but serve no such method.
std::optional<Error> unserved(const mesh::Directory& directory, const Target& target) {
  const auto records = directory.instances(target.agent);
  if (records.empty() || target.method.starts_with('_')) return std::nullopt;
  std::vector<std::string_view> known;
  for (const auto* record : records) {
    for (const auto& method : record->methods) known.push_back(method.name);
  }
  if (std::find(known.begin(), known.end(), target.method) != known.end()) return std::nullopt;
  return Error(
      codes::no_such_method,
      "agent '" + target.agent + "' has no method '" + target.method + "'" + did_you_mean(target.method, known),
      "weft info " + target.agent + " lists its methods");
}

Task<int> why_call(Session& session, Target target, std::string from) {
  const auto missing = unserved(session.mesh().directory(), target);
  auto why = co_await explain(session, std::move(target), std::move(from));
  if (!why) co_return fail(session.global(), why.error());
  if (missing && !why->refused) why->refused = missing->describe();
  if (session.global().json) {
    print_json(to_value(*why));
  } else {
    print_call(*why);
  }
  co_return why->refused ? kFailed : kDone;
}

/// Who has heard a topic that matches, and what became of it on the way.
struct Heard {
  Table table{{"SUBSCRIBER", "TOPIC", "OF", "RECEIVED", "DROPPED", "UNEXPLAINED"}};
  Value::List list;
};

Task<Heard> who_heard(Session& session, TopicPattern pattern) {
  std::vector<wire::InstanceRecord> asked;
  for (const auto* record : session.mesh().directory().all()) {
    const auto& methods = record->methods;
    if (std::any_of(methods.begin(), methods.end(), [](const auto& method) { return method.name == "_ledger"; }))
      asked.push_back(*record);
  }
  const auto answers = co_await survey(session, std::move(asked), "_ledger");
  if (const auto missing = silent(answers); !missing.empty())
    note(session.global(), "no answer from " + joined(missing, ", "));
  Heard heard;
  for (const auto& one : answers) {
    const auto reply = read_as<wire::LedgerReply>(one.answer);
    if (!reply) continue;
    for (const auto& row : reply->heard) {
      if (!pattern.matches(row.topic)) continue;
      const std::string who = reply->agent + "@" + reply->host;
      std::vector<std::string> dropped;
      for (const auto& [reason, count] : row.dropped) dropped.push_back(reason + " " + std::to_string(count));
      heard.table.add({who, printable(row.topic), printable(row.peer.empty() ? row.sender : row.peer),
                       std::to_string(row.received), dropped.empty() ? "-" : printable(joined(dropped, ", ")),
                       std::to_string(row.unexplained)});
      Value entry = to_value(row);
      entry.set("subscriber", who);
      heard.list.push_back(std::move(entry));
    }
  }
  co_return heard;
}

Task<int> why_topic(Session& session, std::string topic) {
  auto pattern = TopicPattern::parse(topic);
  if (!pattern) co_return fail(session.global(), pattern.error());
  Value::List publishers;
  std::vector<std::string> known;
  Table table({"PUBLISHER", "HOST", "ANNOUNCES", "ENDPOINT"});
  for (const auto* record : session.mesh().directory().all()) {
    for (const auto& announced : record->topics) {
      known.push_back(announced);
      const auto published = TopicPattern::parse(announced);
      if (!published || !pattern->overlaps(*published)) continue;
      table.add({record->agent, record->host, announced, record->publish_endpoint});
      Value entry;
      entry.set("agent", record->agent);
      entry.set("host", record->host);
      entry.set("announces", announced);
      entry.set("endpoint", record->publish_endpoint);
      publishers.push_back(std::move(entry));
    }
  }
  const bool any = !publishers.empty();
  const auto nearest = mesh::nearest_topic(*pattern, known);
  const std::string nobody =
      "nobody announces a topic that '" + topic + "' matches" + (nearest ? ", did you mean '" + *nearest + "'?" : "");
  Heard heard = co_await who_heard(session, *pattern);
  if (session.global().json) {
    Value document;
    document.set("topic", topic);
    document.set("publishers", std::move(publishers));
    document.set("heard", std::move(heard.list));
    if (!any) document.set("refused", nobody);
    print_json(document);
  } else if (any) {
    table.print();
    if (heard.list.empty()) {
      print_line("nobody has heard it");
    } else {
      heard.table.print();
    }
  } else {
    print_line(nobody);
  }
  co_return any ? kDone : kFailed;
}

std::string left(std::int64_t us) { return us < 0 ? "no limit" : shown_time(std::chrono::microseconds(us)); }

/// An agent that is not in the mesh, as its node sees it: it may wait for what it needs, or have failed. False: no node
/// runs it.
Task<bool> why_absent(Session& session, Who who) {
  const auto reports = co_await ask_nodes(session);
  const auto now = session.loop().clock().wall();
  Table table({"AGENT", "HOST", "STATE", "SINCE", "WHY"});
  Value::List list;
  for (const auto& report : reports) {
    if (!report.reply || (!who.host.empty() && who.host != report.node.host)) continue;
    for (const auto& row : report.reply->processes) {
      if (row.agent != who.agent) continue;
      table.add({row.agent, report.node.host, row.state, age(now - wall_from_us(row.since_us)), printable(row.text)});
      Value entry = to_value(row);
      entry.set("host", report.node.host);
      list.push_back(std::move(entry));
    }
  }
  const bool any = !list.empty();
  if (any && session.global().json) print_json(Value(Value::Map{{"not_in_the_mesh", Value(std::move(list))}}));
  if (any && !session.global().json) {
    print_line(printable(who.agent) + " is not in the mesh; its node says:");
    table.print();
  }
  co_return any;
}

/// What an agent does, what it waits for, and who waits for it.
Task<int> why_agent(Session& session, Who who) {
  auto asked = find_instances(session.mesh().directory(), who);
  if (!asked) {
    if (co_await why_absent(session, who)) co_return kDone;
    co_return fail(session.global(), asked.error());
  }
  auto everybody = find_instances(session.mesh().directory(), Who());
  const auto answers = co_await survey(session, std::move(*everybody), "_waits");
  std::vector<std::string> names;
  std::map<std::string, std::string> by_endpoint;
  for (const auto& record : *asked) {
    by_endpoint[record.call_endpoint] = by_endpoint[record.call_local] = record.agent + "@" + record.host;
  }
  Table table({"WHO", "DOES", "SINCE", "LEFT", "ON BEHALF OF"});
  Value::List handled, waiting, waited_for;
  for (const auto& one : answers) {
    const auto waits = read_as<wire::WaitsReply>(one.answer);
    if (!waits) continue;
    const std::string name = one.record.agent + "@" + one.record.host;
    const bool is_asked = std::any_of(asked->begin(), asked->end(),
                                      [&](const auto& record) { return record.instance == one.record.instance; });
    for (const auto& call : waits->handled) {
      if (!is_asked) continue;
      table.add({name, "handles " + printable(call.method), shown_time(std::chrono::microseconds(call.age_us)),
                 left(call.left_us), printable(joined(call.chain, " -> "))});
      handled.push_back(to_value(call));
    }
    for (const auto& call : waits->waiting) {
      if (call.target.find("._") != std::string::npos) continue;
      const auto callee = by_endpoint.find(call.endpoint);
      if (!is_asked && callee == by_endpoint.end()) continue;
      table.add({name, "waits for " + printable(call.target), shown_time(std::chrono::microseconds(call.age_us)),
                 left(call.left_us), printable(call.on_behalf_of)});
      (is_asked ? waiting : waited_for).push_back(to_value(call));
    }
  }
  if (const auto missing = silent(answers); !missing.empty())
    note(session.global(), "no answer from " + joined(missing, ", "));
  if (session.global().json) {
    Value document;
    document.set("handles", std::move(handled));
    document.set("waits_for", std::move(waiting));
    document.set("is_waited_for", std::move(waited_for));
    print_json(document);
  } else if (handled.empty() && waiting.empty() && waited_for.empty()) {
    print_line("nothing is being handled there, and nobody waits");
  } else {
    table.print();
  }
  co_return kDone;
}

int run_call(const Global& global, const WhyArguments& arguments) {
  auto target = parse_target(arguments.what);
  if (!target) return fail(global, target.error());
  return run_in_mesh(global, [&](Session& session) { return why_call(session, *target, arguments.from); });
}

int run_agent(const Global& global, const WhyArguments& arguments) {
  auto who = parse_who(arguments.what);
  if (!who) return fail(global, who.error());
  return run_in_mesh(global, [&](Session& session) { return why_agent(session, *who); });
}

}  // namespace

std::vector<Verb> why_verbs() {
  auto calls = std::make_shared<WhyArguments>(), topics = std::make_shared<WhyArguments>();
  auto agents = std::make_shared<WhyArguments>();
  return {
      {.name = "why",
       .summary = "Tell what would happen, and which rule says so, without doing it",
       .verbs = {
           {.name = "call",
            .summary = "Which instance a call goes to and why, or what refuses it",
            .examples = {"weft why call digest.summary",
                         "weft why call sysmon.snapshot@beta --from digest@alpha --json"},
            .options = {text("target", calls->what, "AGENT.METHOD[@HOST]", "The method").required(),
                        text("--from", calls->from, "AGENT[@HOST]",
                             "As this agent sees it; as this command when left out")},
            .run = [calls](const Global& global) { return run_call(global, *calls); }},
           {.name = "topic",
            .summary = "Who publishes what a subscription would hear, and what became of it with those who subscribe",
            .examples = {"weft why topic 'host.*.metrics'", "weft why topic sensor.temp --json"},
            .options = {text("topic", topics->what, "TOPIC", "A topic or pattern").required()},
            .run =
                [topics](const Global& global) {
                  return run_in_mesh(global, [&](Session& session) { return why_topic(session, topics->what); });
                }},
           {.name = "agent",
            .summary = "What an agent handles, what it waits for, and who waits for it",
            .examples = {"weft why agent digest", "weft why agent digest@alpha --json"},
            .options = {text("agent", agents->what, "AGENT[@HOST]", "Its name, or one host's").required()},
            .run = [agents](const Global& global) { return run_agent(global, *agents); }},
           why_message_verb()}}};
}

}  // namespace weft::cli
