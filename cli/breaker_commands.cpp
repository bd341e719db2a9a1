// weft breaker list|open|close|auto: the circuits of the calls that an agent makes, seen and turned by hand.
#include "cli/session.hpp"
#include "weft/base/text.hpp"

namespace weft::cli {
namespace {

struct BreakerArguments {
  std::string action = "list";
  std::string agent, target, instance;
};

std::string seconds(const Value& milliseconds) {
  const auto left = std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds.as_double()));
  return left.count() == 0 ? "-" : to_text(left);
}

void add_rows(Table& table, const mesh::Gathered::Answer& caller, const Value& circuits) {
  if (!circuits.is_list()) return;
  for (const auto& circuit : circuits.as_list()) {
    const bool forced = !circuit["force"].is("none");
    table.add({printable(caller.slot), printable(circuit["target"].as_string()), printable(circuit["host"].as_string()),
               circuit["instance"].as_string(), circuit["state"].as_string() + (forced ? " (by hand)" : ""),
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

Task<int> ask(Session& session, BreakerArguments arguments) {
  Value request;
  request.set("action", arguments.action);
  request.set("target", arguments.target);
  request.set("instance", arguments.instance);
  const auto& directory = session.mesh().directory();
  const std::string called = arguments.target.substr(0, arguments.target.find('.'));
  if (!called.empty() && directory.instances(called).empty()) {
    const Error unknown(codes::unknown_agent,
                        "no agent '" + called + "' is in the mesh" + did_you_mean(called, directory.agent_names()),
                        "'weft list' shows who is");
    co_return fail(session.global(), unknown);
  }
  mesh::CallOptions options(session.global().timeout);
  const std::string target = arguments.agent + "._breakers";
  const auto all = co_await session.mesh().call_all(target, mesh::Payload::of(request), std::move(options));
  if (!all) co_return fail(session.global(), all.error());
  co_return print_answers(session.global(), *all, arguments.action);
}

void add_action(CLI::App& group, Global& global, const std::string& name, const std::string& action,
                const std::string& summary, const std::string& example) {
  auto* verb = add_verb(group, name, summary, {example});
  auto arguments = std::make_shared<BreakerArguments>();
  arguments->action = action;
  verb->add_option("agent", arguments->agent, "The agent that calls")->required()->type_name("AGENT");
  if (action != "list") {
    verb->add_option("target", arguments->target, "What it calls: an agent, or one method of it")
        ->required()
        ->type_name("TARGET");
    verb->add_option("--instance", arguments->instance, "Only the circuit to this instance")->type_name("ID");
  }
  on_run(*verb, global, [&global, arguments] {
    return run_in_mesh(global, [&](Session& session) { return ask(session, *arguments); });
  });
}

}  // namespace

void add_breaker_commands(CLI::App& app, Global& global) {
  auto* group = add_group(app, "breaker", "See and turn the circuits of the calls that an agent makes");
  add_action(*group, global, "list", "list", "List the circuits of all its instances", "weft breaker list digest");
  add_action(*group, global, "open", "open", "Refuse its calls of TARGET until 'close' or 'auto'",
             "weft breaker open digest sysmon.snapshot");
  add_action(*group, global, "close", "close", "Let its calls of TARGET through, whatever happens, until 'auto'",
             "weft breaker close digest sysmon");
  add_action(*group, global, "auto", "automatic", "Close its circuits to TARGET, and let the policy decide again",
             "weft breaker auto digest sysmon");
}

}  // namespace weft::cli
