// weft call: one request, its answer as JSON; or one request to every instance, and who did not answer.
#include "cli/session.hpp"
#include "cli/target.hpp"
#include "weft/calls/interceptor.hpp"

namespace weft::cli {

namespace {

struct CallArguments {
  std::string target;
  std::string payload = "{}";
  bool raw = false;
  bool all = false;
  std::size_t count = 0;
  Duration stall{};
  std::string key;
  std::vector<std::string> header_words;
  wire::Headers headers{};
};

void print_reply(const Global& global, const wire::Payload& reply) {
  if (global.json || reply.encoding != wire::Encoding::raw) {
    print_json(shown(reply));
  } else if (!reply.bytes.empty()) {
    print(reply.text());
    if (stdout_is_terminal() && reply.text().back() != '\n') print("\n");
  }
}

calls::CallOptions call_options(const Session& session, const Target& target, const CallArguments& arguments) {
  calls::CallOptions options(session.global().timeout);
  options.host = target.host;
  options.key = arguments.key;
  options.headers = arguments.headers;
  return options;
}

Value to_document(const mesh::Gathered& all) {
  Value::List answers;
  for (const auto& answer : all.answers) {
    Value one = answer.outcome ? Value() : error_document(answer.outcome.error());
    one.set("instance", answer.instance);
    one.set("slot", answer.slot);
    one.set("host", answer.host);
    one.set("took_ms", to_seconds(answer.took) * 1000);
    if (answer.outcome) one.set("reply", shown(*answer.outcome));
    answers.push_back(std::move(one));
  }
  Value document;
  document.set("answered", all.answered());
  document.set("asked", all.answers.size());
  document.set("answers", std::move(answers));
  return document;
}

/// One line for each instance, those that did not answer with why; how many did goes to stderr.
void print_all(const Global& global, const mesh::Gathered& all) {
  if (global.json) return print_json(to_document(all));
  for (const auto& answer : all.answers) {
    const std::string who = answer.slot.empty() ? answer.instance : answer.slot;
    print_line(printable(who) + "  " +
               (answer.outcome ? shown_text(*answer.outcome) : printable(answer.outcome.error().describe())));
  }
  note(global, printable(all.summary()));
}

Task<int> call_all(Session& session, Target target, wire::Payload payload, CallArguments arguments) {
  mesh::GatherOptions gathering;
  gathering.count = arguments.count;
  gathering.stall = arguments.stall;
  auto options = call_options(session, target, arguments);
  const auto all =
      co_await session.mesh().call_all(target.text(), std::move(payload), std::move(options), std::move(gathering));
  if (!all) co_return fail(session.global(), all.error());
  print_all(session.global(), *all);
  const std::size_t enough = arguments.count > 0 ? arguments.count : all->answers.size();
  co_return all->answered() >= enough ? kDone : kFailed;
}

Task<int> call(Session& session, Target target, wire::Payload payload, CallArguments arguments) {
  auto options = call_options(session, target, arguments);
  auto sent = std::make_shared<observe::MessageId>();  // the latest attempt
  const std::string name = target.text();
  session.mesh().peer().intercept(
      {.name = "message", .after_call = [sent, name](calls::Outgoing& call, const Result<wire::Payload>&) {
         if (call.target == name) *sent = {call.header.id, call.header.sender};
       }});
  const auto reply = co_await session.mesh().call(name, std::move(payload), std::move(options));
  if (!reply) {
    Error error = reply.error();
    if (sent->id != 0)
      error.hint += (error.hint.empty() ? "weft why message " : "; weft why message ") + observe::to_text(*sent) +
                    " tells what became of it";
    co_return fail(session.global(), error);
  }
  print_reply(session.global(), *reply);
  co_return kDone;
}

int run_call(const Global& global, CallArguments& arguments) {
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  auto headers = parse_headers(arguments.header_words);
  if (!headers) return fail(global, headers.error());
  arguments.headers = std::move(*headers);
  if (!arguments.all && (arguments.count > 0 || arguments.stall > Duration::zero()))
    return fail(global, Error(codes::bad_usage, "--count and --stall say when the calls of --all end", "add --all"));
  return run_in_mesh(global, [&](Session& session) {
    return arguments.all ? call_all(session, *target, *payload, arguments)
                         : call(session, *target, *payload, arguments);
  });
}

}  // namespace

std::vector<Verb> call_verbs() {
  auto arguments = std::make_shared<CallArguments>();
  return {
      {.name = "call",
       .summary = "Call a method of an agent and print its answer",
       .examples = {R"(weft call echo.echo '{"text": "hello"}')", "weft call sysmon.snapshot@beta --timeout 2s",
                    "weft call probe.targets --all"},
       .options = {text("target", arguments->target, "AGENT.METHOD[@HOST]",
                        "The method, and the host when any will not do")
                       .required(),
                   text("payload", arguments->payload, "PAYLOAD", "JSON; '-' reads it from stdin; {} when left out"),
                   flag("--raw", arguments->raw, "Send the payload's bytes as they are"),
                   flag("--all", arguments->all,
                        "Call every instance; tell who did not answer (then the exit code is 1)"),
                   number("--count", arguments->count, "With --all: as many answers are enough"),
                   duration("--stall", arguments->stall, "With --all: end when nobody has answered for this long"),
                   text("--key", arguments->key, "TEXT", "Idempotency key: calls with the same one have one effect"),
                   header_option(arguments->header_words)},
       .run = [arguments](const Global& global) { return run_call(global, *arguments); }}};
}

}  // namespace weft::cli
