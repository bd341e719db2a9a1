// weft ping and weft latency: how far away instances and methods are.
#include "cli/node_survey.hpp"
#include "cli/survey.hpp"
#include "cli/target.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::cli {

namespace {

struct PingArguments {
  std::string who;
  std::size_t count = 1;
  Duration interval = 1s;
};
struct LatencyArguments {
  std::string target, payload = "{}";
  bool raw = false;
  std::size_t count = 100;
};

/// An agent in another language need not serve _ping: what says that it has no such method has answered.
bool is_there(const Answered& one) { return one.answer || one.answer.error().is(codes::no_such_method); }

Value ping_document(const Answered& one) {
  Value entry;
  entry.set("agent", one.record.agent);
  entry.set("host", one.record.host);
  entry.set("instance", one.record.instance.to_string());
  if (!is_there(one)) {
    entry.set("error", error_document(one.answer.error())["error"]);
    return entry;
  }
  entry.set("round_trip_us", std::chrono::duration<double, std::micro>(one.took).count());
  if (!one.answer) return entry;
  if (const auto reply = one.answer->as<wire::PingReply>()) entry.set("process", to_value(*reply));
  return entry;
}

/// What an answer to _ping says, or, where the agent does not serve that method, its record.
Result<wire::PingReply> reply_of(const Answered& one, WallTime now) {
  if (one.answer) return one.answer->as<wire::PingReply>();
  if (!is_there(one)) return one.answer.error();
  wire::PingReply reply;
  reply.version = one.record.version;
  reply.pid = one.record.pid;
  if (one.record.started_us != 0) reply.up_us = to_us(now) - one.record.started_us;
  return reply;
}

void print_pings(const std::vector<Answered>& answers, WallTime now) {
  Table table({"AGENT", "HOST", "ROUND TRIP", "VERSION", "UP", "PID", "STATE"});
  for (const auto& one : answers) {
    const auto reply = reply_of(one, now);
    if (reply) {
      table.add({one.record.agent, one.record.host, shown_time(one.took), printable(reply->version),
                 age(std::chrono::microseconds(reply->up_us)), std::to_string(reply->pid),
                 reply->draining ? "draining" : "serving"});
    } else {
      table.add({one.record.agent, one.record.host, "-", one.record.version, "-", std::to_string(one.record.pid),
                 "no answer: " + printable(reply.error().name.empty() ? reply.error().code : reply.error().name)});
    }
  }
  table.print();
}

Task<int> ping(Session& session, const PingArguments& arguments) {
  auto who = parse_who(arguments.who);
  if (!who) co_return fail(session.global(), who.error());
  std::vector<std::string> missing, absent;
  if (who->agent.empty() && who->host.empty()) {
    absent = absent_hosts(co_await ask_nodes(session, kAbsenceTimeout));
    note_absent(session.global(), absent);
  }
  std::size_t asked = 0;
  for (std::size_t round = 0; round < arguments.count; ++round) {
    if (round > 0) co_await sleep_for(session.loop(), arguments.interval);
    auto records = find_instances(session.mesh().directory(), *who);
    if (!records) co_return fail(session.global(), records.error());
    asked = records->size();
    const auto answers = co_await survey(session, std::move(*records), "_ping");
    missing.clear();
    for (const auto& one : answers) {
      if (!is_there(one)) missing.push_back(one.record.agent + "@" + one.record.host);
    }
    if (session.global().json) {
      for (const auto& one : answers) print_json_line(ping_document(one));
    } else {
      print_pings(answers, session.loop().clock().wall());
    }
  }
  if (missing.empty()) co_return absent.empty() ? kDone : kFailed;
  note(session.global(), std::to_string(asked - missing.size()) + " of " + std::to_string(asked) +
                             " answered; missing: " + joined(missing, ", "));
  co_return kFailed;
}

/// One call after another, over one connection that is there already. A method that the agent does not have is timed
/// all the same when `any_answer`.
Task<Result<Distribution>> measure(Session& session, std::string target, std::string host, wire::Payload payload,
                                   std::size_t count, bool any_answer = false) {
  calls::CallOptions options(session.global().timeout);
  options.host = std::move(host);
  Distribution times;
  for (std::size_t i = 0; i <= count; ++i) {
    const TimePoint begin = session.loop().now();
    auto reply = co_await session.mesh().call(target, payload, options);
    if (!reply && !(any_answer && reply.error().is(codes::no_such_method))) co_return reply.error();
    if (i > 0) times.add(session.loop().now() - begin);  // the first one connects
  }
  co_return times;
}

Task<int> latency(Session& session, Target target, wire::Payload payload, std::size_t count) {
  auto whole = co_await measure(session, target.text(), target.host, payload, count);
  if (!whole) co_return fail(session.global(), whole.error());
  auto path = co_await measure(session, target.agent + "._ping", target.host, wire::Payload::of(Value()), count, true);
  if (!path) co_return fail(session.global(), path.error());
  if (session.global().json) {
    Value document;
    document.set("target", target.text());
    document.set("count", count);
    document.set("call", whole->to_json());
    document.set("path", path->to_json());
    print_json(document);
    co_return kDone;
  }
  Table table({"WHAT", "MIN", "P50", "P90", "P99", "MAX"});
  const auto row = [&table](std::string what, Distribution& times) {
    std::vector<std::string> cells{std::move(what)};
    for (const double part : {0.0, 0.5, 0.9, 0.99, 1.0}) cells.push_back(shown_time(times.quantile(part)));
    table.add(std::move(cells));
  };
  row(target.text(), *whole);
  row("the way alone", *path);
  table.print();
  co_return kDone;
}

int run_latency(const Global& global, const LatencyArguments& arguments) {
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  return run_in_mesh(global, [&](Session& session) { return latency(session, *target, *payload, arguments.count); });
}

}  // namespace

std::vector<Verb> latency_verbs() {
  auto pings = std::make_shared<PingArguments>();
  auto calls = std::make_shared<LatencyArguments>();
  return {{.name = "ping",
           .summary = "Ask instances whether they are there, and how far away",
           .examples = {"weft ping", "weft ping digest", "weft ping sysmon@beta --count 10 --json"},
           .options = {who_option(pings->who), number("--count", pings->count, {1, 1'000'000}, "How often"),
                       duration("--interval", pings->interval, "Time between two rounds")},
           .run =
               [pings](const Global& global) {
                 return run_in_mesh(global, [&](Session& session) { return ping(session, *pings); });
               }},
          {.name = "latency",
           .summary = "Time calls of a method, one after another, and the way there alone",
           .examples = {"weft latency echo.echo", R"(weft latency digest.summary '{}' --count 1000 --json)"},
           .options = {text("target", calls->target, "AGENT.METHOD[@HOST]", "The method").required(),
                       text("payload", calls->payload, "PAYLOAD", "JSON; '-' reads it from stdin; {} when left out"),
                       flag("--raw", calls->raw, "Send the payload's bytes as they are"),
                       number("--count", calls->count, {1, 10'000'000}, "Calls")},
           .run = [calls](const Global& global) { return run_latency(global, *calls); }}};
}

}  // namespace weft::cli
