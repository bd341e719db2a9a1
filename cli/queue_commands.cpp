// weft queue: the work queues of the mesh, and an item for one of them.
#include "cli/queues.hpp"
#include "cli/target.hpp"
#include "weft/queue/queue.hpp"

namespace weft::cli {

namespace {

struct QueueArguments {
  std::string queue, payload = "{}", priority = "normal", key;
  std::vector<std::string> header_words;
  bool raw = false;
};

/// Of every process that has queues; one that does not answer is told, and costs the exit code only.
Task<int> gather(Session& session, std::string queue, queue::QueuesReply& all) {
  int code = kDone;
  queue::QueuesRequest request;
  request.queue = std::move(queue);
  for (const auto& record : keepers(session)) {
    wire::Payload question = wire::Payload::of(request);
    const auto answer = co_await ask_keeper(session, record, "_queues", std::move(question));
    auto reply = read_as<queue::QueuesReply>(answer);
    if (!reply) {
      code = complain(session.global(), reply.error());
      continue;
    }
    std::move(reply->queues.begin(), reply->queues.end(), std::back_inserter(all.queues));
    std::move(reply->served.begin(), reply->served.end(), std::back_inserter(all.served));
  }
  co_return code;
}

std::string ago(std::int64_t us) { return age(std::chrono::microseconds(us)); }

Task<int> list(Session& session) {
  queue::QueuesReply all;
  const int code = co_await gather(session, {}, all);
  if (session.global().json) {
    print_json(to_value(all));
    co_return code;
  }
  Table table({"QUEUE", "PRODUCER", "WAITING", "IN FLIGHT", "OLDEST", "WORKERS", "FINISHED", "REFUSED", "DEAD"});
  for (const auto& one : all.queues) {
    const std::uint64_t waiting = one.high + one.normal + one.low;
    table.add({one.queue, one.producer + "@" + one.host, std::to_string(waiting), std::to_string(one.in_flight),
               waiting + one.in_flight == 0 ? "-" : ago(one.oldest_us), std::to_string(one.workers.size()),
               std::to_string(one.finished), std::to_string(one.refused), std::to_string(one.dead_letters)});
  }
  table.print();
  co_return code;
}

void print_queue(const queue::QueueInfo& one) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  print_line(one.queue + "  at " + one.producer + "@" + one.host + "  " + one.instance);
  Table facts({"WHAT", "VALUE"});
  facts.add({"durability", std::string(to_string(one.durability))});
  facts.add({"delivery", std::string(to_string(one.delivery)) + ", " + number(one.attempts) + " attempts of " +
                             to_text(std::chrono::microseconds(one.item_timeout_us))});
  facts.add({"waiting", number(one.high) + " high, " + number(one.normal) + " normal, " + number(one.low) + " low"});
  facts.add({"with workers", number(one.in_flight)});
  facts.add({"oldest", ago(one.oldest_us)});
  facts.add({"limits", number(one.high + one.normal + one.low + one.in_flight) + " of " + number(one.items_max) +
                           " items, " + number(one.bytes) + " of " + number(one.bytes_max) + " bytes"});
  facts.add({"so far", number(one.pushed) + " pushed, " + number(one.finished) + " finished, " +
                           number(one.redelivered) + " given again, " + number(one.refused) + " refused, " +
                           number(one.restored) + " restored"});
  facts.add({"dead letters", number(one.dead_letters) + " of at most " + number(one.dead_letters_max)});
  facts.print();
  if (one.workers.empty()) return print_line("no live instance works on it");
  Table workers({"WORKER", "HOST", "HAS", "OLDEST", "FINISHED", "FAILED", "OFFERED"});
  for (const auto& worker : one.workers) {
    workers.add({worker.instance, worker.host, number(worker.in_flight),
                 worker.in_flight == 0 ? "-" : ago(worker.oldest_us), number(worker.finished), number(worker.failed),
                 worker.offered ? "yes" : "no"});
  }
  workers.print();
}

Task<int> info(Session& session, std::string name) {
  queue::QueuesReply all;
  int code = co_await gather(session, name, all);
  if (all.queues.empty() && all.served.empty() && code == kDone) {
    queue::QueuesReply known;
    (void)co_await gather(session, {}, known);
    std::vector<std::string_view> names;
    for (const auto& one : known.queues) names.push_back(one.queue);
    for (const auto& one : known.served) names.push_back(one.queue);
    const Error unknown(codes::bad_value,
                        "nobody pushes to a queue '" + name + "' or works on it" + did_you_mean(name, names),
                        "'weft queue list' shows the queues");
    co_return fail(session.global(), unknown);
  }
  if (session.global().json) {
    print_json(to_value(all));
    co_return code;
  }
  for (const auto& one : all.queues) print_queue(one);
  for (const auto& one : all.served) {
    print_line("worked on by " + one.instance + " on " + one.host + ": " + std::to_string(one.running) + " of " +
               std::to_string(one.concurrency) + " at once, " + std::to_string(one.finished) + " done, " +
               std::to_string(one.failed) + " failed" + (one.stuck ? ", STUCK" : ""));
  }
  co_return code;
}

/// The command is the producer of this one item, which goes with it.
Task<int> push(Session& session, const QueueArguments& arguments, wire::Payload payload, queue::PushOptions how) {
  if (auto fine = check_queue(session, arguments.queue); !fine) {
    if (!fine.error().is(codes::unknown_agent)) co_return fail(session.global(), fine.error());
    note(session.global(), fine.error().message + (fine.error().message.back() == '?' ? "" : ".") + " Waiting for one");
  }
  CommandQueues own(session);
  how.timeout = session.global().timeout;
  auto receipt = co_await own.queues().push(arguments.queue, std::move(payload), how);
  if (!receipt) co_return fail(session.global(), receipt.error());
  TaskScope waiting;
  Completion<Result<wire::Payload>> done;
  auto completer = std::make_shared<Completion<Result<wire::Payload>>::Completer>(done.completer());
  const Error late(
      codes::deadline_exceeded,
      "the item was not finished within " + to_text(session.global().timeout) + ", and goes with this command",
      "weft list shows whether an agent works on " + arguments.queue + "; --timeout waits longer");
  Timer limit(session.loop());
  limit.start(session.global().timeout, [completer, late] { completer->complete(late); });
  waiting.spawn([](queue::Receipt item, auto to, Loop& loop) -> Task<void> {
    auto outcome = co_await item.done();
    loop.post([to, outcome]() mutable { to->complete(std::move(outcome)); });  // who waits ends this scope
  }(std::move(*receipt), completer, session.loop()));
  auto outcome = co_await done;
  if (!outcome) {
    Error error = outcome.error();
    // The dead letter is in the memory of this command, so no `weft dlq` finds it.
    if (error.is(codes::dead_lettered))
      error.hint = "correct the item and push it again; this command keeps no dead letter";
    co_return fail(session.global(), error);
  }
  print_json(shown(*outcome));
  co_return kDone;
}

int run_push(const Global& global, const QueueArguments& arguments) {
  auto target = parse_target(arguments.queue);
  if (!target) return fail(global, target.error());
  auto priority = queue::from_text(arguments.priority, std::type_identity<queue::Priority>{});
  if (!priority) return fail(global, Error(codes::bad_usage, "--priority: " + priority.error().message));
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  auto headers = parse_headers(arguments.header_words);
  if (!headers) return fail(global, headers.error());
  queue::PushOptions how(*priority);
  how.key = arguments.key;
  how.headers = std::move(*headers);
  return run_in_mesh(global, [&](Session& session) { return push(session, arguments, *payload, how); });
}

}  // namespace

std::vector<Verb> queue_verbs() {
  auto arguments = std::make_shared<QueueArguments>();
  const Option queue = text("queue", arguments->queue, "AGENT.METHOD", "Its name").required();
  return {{.name = "queue",
           .summary = "Look at work queues, push an item",
           .verbs = {{.name = "list",
                      .summary = "List the queues of every producer",
                      .examples = {"weft queue list"},
                      .run =
                          [](const Global& global) {
                            return run_in_mesh(global, [](Session& session) { return list(session); });
                          }},
                     {.name = "info",
                      .summary = "Show one queue: durability, limits, workers",
                      .examples = {"weft queue info resizer.resize"},
                      .options = {queue},
                      .run =
                          [arguments](const Global& global) {
                            return run_in_mesh(global,
                                               [&](Session& session) { return info(session, arguments->queue); });
                          }},
                     {.name = "push",
                      .summary = "Push an item and wait until it is done",
                      .examples = {R"(weft queue push resizer.resize '{"name": "cat.png", "width": 100}')",
                                   "weft queue push resizer.resize - --priority high --timeout 60s < item.json"},
                      .options = {queue,
                                  text("payload", arguments->payload, "PAYLOAD",
                                       "JSON; '-' reads it from stdin; {} when left out"),
                                  text("--priority", arguments->priority, "PRIORITY", "high, normal or low"),
                                  text("--key", arguments->key, "KEY", "Items of one key are done one after another"),
                                  header_option(arguments->header_words),
                                  flag("--raw", arguments->raw, "Send the payload's bytes as they are")},
                      .run = [arguments](const Global& global) { return run_push(global, *arguments); }}}}};
}

}  // namespace weft::cli
