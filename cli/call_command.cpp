// weft call: one request, its answer as JSON.
#include "cli/session.hpp"
#include "cli/target.hpp"

namespace weft::cli {

namespace {

struct CallArguments {
  std::string target;
  std::string payload = "{}";
  bool raw = false;
};

void print_reply(const Global& global, const mesh::Payload& reply) {
  if (global.json || reply.encoding != wire::Encoding::raw) {
    print_json(shown(reply));
  } else if (!reply.bytes.empty()) {
    print(reply.text());
    if (stdout_is_terminal() && reply.text().back() != '\n') print("\n");
  }
}

Task<int> call(Session& session, Target target, mesh::Payload payload) {
  mesh::CallOptions options(session.global().timeout);
  options.host = target.host;
  const auto reply = co_await session.mesh().call(target.text(), std::move(payload), options);
  if (!reply) co_return fail(session.global(), reply.error());
  print_reply(session.global(), *reply);
  co_return kDone;
}

int run_call(const Global& global, const CallArguments& arguments) {
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  return run_in_mesh(global, [&](Session& session) { return call(session, *target, *payload); });
}

}  // namespace

void add_call_command(CLI::App& app, Global& global) {
  auto* verb = add_verb(app, "call", "Call a method of an agent and print its answer",
                        {R"(weft call echo.echo '{"text": "hello"}')", "weft call sysmon.snapshot@beta --timeout 2s",
                         "date | weft call echo.echo - --raw"});
  auto arguments = std::make_shared<CallArguments>();
  verb->add_option("target", arguments->target, "The method, and the host when any will not do")
      ->required()
      ->type_name("AGENT.METHOD[@HOST]");
  verb->add_option("payload", arguments->payload, "JSON; '-' reads it from stdin; {} when left out")
      ->type_name("PAYLOAD");
  verb->add_flag("--raw", arguments->raw, "Send the payload's bytes as they are");
  on_run(*verb, global, [&global, arguments] { return run_call(global, *arguments); });
}

}  // namespace weft::cli
