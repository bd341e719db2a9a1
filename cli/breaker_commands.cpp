// weft breaker list|open|close|auto: the circuits of the calls that an agent makes, seen and turned by hand.
#include "cli/survey.hpp"
#include "weft/base/target.hpp"
#include "weft/base/text.hpp"

namespace weft::cli {
namespace {

struct BreakerArguments {
  std::string action = "list";
  std::string agent, target, instance;
  bool all = false;  // whoever calls
};

std::string seconds(const Value& milliseconds) {
  const auto left = std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds.as_double()));
  return left.count() == 0 ? "-" : to_text(left);
}

void add_rows(Table& table, const mesh::Gathered::Answer& caller, const Value& circuits) {
  if (!circuits.is_list()) return;
  for (const auto& circuit : circuits.as_list()) {
    const bool forced = !circuit["force"].is("none");
    const Value& told_by = circuit["told_by"];  // absent in older releases
    const std::string who = told_by.is_string() ? printable(told_by.as_string()) : std::string();
    const std::string why = forced ? " (by hand)" : who.empty() ? "" : " (told by " + who + ")";
    table.add({printable(caller.slot), printable(circuit["target"].as_string()), printable(circuit["host"].as_string()),
               circuit["instance"].as_string(), circuit["state"].as_string() + why,
               std::to_string(circuit["failures_in_row"].as_int()), std::to_string(circuit["opened"].as_int()),
               seconds(circuit["open_left_ms"])});
  }
}

/// What each instance of the calling agent said, those that did not answer told on stderr.
int print_answers(const Global& global, const mesh::Gathered& all, const std::string& action) {
  Table table({"CALLER", "TARGET", "HOST", "INSTANCE", "STATE", "FAILURES", "OPENED", "PROBE IN"});
  Value::List documents;
  std::int64_t changed = 0;
  for (const auto& answer : all.answers) {
    Result<Value> value = answer.outcome ? answer.outcome->value() : Result<Value>(answer.outcome.error());
    Value document = value ? Value() : error_document(value.error());
    document.set("caller", answer.slot);
    if (!value) {
      Error error = value.error();
      error.message = answer.slot + ": " + error.message;
      (void)complain(global, error);
    } else if (action == "list") {
      add_rows(table, answer, *value);
      document.set("circuits", *value);
    } else {
      changed += (*value)["changed"].as_int();
      document.set("changed", (*value)["changed"]);
    }
    documents.push_back(std::move(document));
  }
  if (global.json) {
    print_json(documents);
  } else if (action == "list") {
    table.print();
  } else {
    note(global, std::to_string(changed) + (changed == 1 ? " circuit changed" : " circuits changed"));
  }
  return all.answered() == all.answers.size() ? kDone : kFailed;
}

/// Every instance that may call. Those that have no such circuit are left out, unless nobody has one.
Task<Result<mesh::Gathered>> ask_everybody(Session& session, Value request) {
  auto everybody = find_instances(session.mesh().directory(), {});
  if (!everybody) co_return everybody.error();
  auto answers = co_await survey(session, std::move(*everybody), "_breakers", std::move(request));
  mesh::Gathered all;
  std::optional<Error> nobody;
  for (auto& one : answers) {
    const Error* error = one.answer ? nullptr : &one.answer.error();
    if (error != nullptr && error->is(codes::no_such_method)) continue;  // a registry: it calls no agent by its name
    if (error != nullptr && error->is(codes::unknown_instance)) {
      nobody = *error;
      continue;
    }
    all.answers.push_back({one.record.instance.to_string(), one.record.slot, one.record.host, std::move(one.answer)});
  }
  if (all.answers.empty() && nobody) co_return *nobody;
  co_return all;
}

/// With --all there is no AGENT: the one word is TARGET.
std::optional<Error> sort_out(BreakerArguments& arguments) {
  const bool lists = arguments.action == "list";
  if (arguments.all && !arguments.agent.empty() && (lists || !arguments.target.empty()))
    return Error(codes::bad_usage, "--all is for every agent that calls", "leave AGENT out");
  if (arguments.all && !lists) arguments.target = std::exchange(arguments.agent, {});
  if (arguments.agent.empty() && !arguments.all)
    return Error(codes::bad_usage, "AGENT is missing", "name the agent that calls, or say --all");
  if (arguments.target.empty() && !lists)
    return Error(codes::bad_usage, "TARGET is missing", "name what is called: an agent, or one method of it");
  return std::nullopt;
}

Task<int> ask(Session& session, BreakerArguments arguments) {
  Value request;
  request.set("action", arguments.action);
  request.set("target", arguments.target);
  request.set("instance", arguments.instance);
  const auto& directory = session.mesh().directory();
  const std::string called(split_target(arguments.target).agent);
  if (!called.empty() && directory.instances(called).empty()) {
    const Error unknown(codes::unknown_agent,
                        "no agent '" + called + "' is in the mesh" + did_you_mean(called, directory.agent_names()),
                        "'weft list' shows who is");
    co_return fail(session.global(), unknown);
  }
  if (arguments.all) {
    const auto everybody = co_await ask_everybody(session, std::move(request));
    if (!everybody) co_return fail(session.global(), everybody.error());
    co_return print_answers(session.global(), *everybody, arguments.action);
  }
  calls::CallOptions options(session.global().timeout);
  const std::string target = arguments.agent + "._breakers";
  const auto all = co_await session.mesh().call_all(target, wire::Payload::of(request), std::move(options));
  if (!all) co_return fail(session.global(), all.error());
  co_return print_answers(session.global(), *all, arguments.action);
}

Verb action_verb(std::string_view name, const char* action, std::string_view summary, std::string_view example) {
  auto arguments = std::make_shared<BreakerArguments>();
  arguments->action = action;
  std::vector<Option> options{text("agent", arguments->agent, "AGENT", "The agent that calls"),
                              flag("--all", arguments->all, "Every agent that calls, and runs now, instead of AGENT")};
  if (arguments->action != "list") {
    options.push_back(text("target", arguments->target, "TARGET", "What it calls: an agent, or one method of it"));
    options.push_back(text("--instance", arguments->instance, "ID", "Only the circuit to this instance"));
  }
  return {.name = name,
          .summary = summary,
          .examples = {example},
          .options = std::move(options),
          .run = [arguments](const Global& global) {
            if (const auto wrong = sort_out(*arguments)) return fail(global, *wrong);
            return run_in_mesh(global, [&](Session& session) { return ask(session, *arguments); });
          }};
}

}  // namespace

std::vector<Verb> breaker_verbs() {
  return {{.name = "breaker",
           .summary = "See and turn the circuits of the calls that an agent makes",
           .verbs = {action_verb("list", "list", "List the circuits of all its instances", "weft breaker list digest"),
                     action_verb("open", "open", "Refuse its calls of TARGET until 'close' or 'auto'",
                                 "weft breaker open digest sysmon.snapshot"),
                     action_verb("close", "close", "Let its calls of TARGET through, whatever happens, until 'auto'",
                                 "weft breaker close digest sysmon"),
                     action_verb("auto", "automatic", "Close its circuits to TARGET, and let the policy decide again",
                                 "weft breaker auto digest sysmon")}}};
}

}  // namespace weft::cli
