// weft bench: load on a mesh that runs, and what it does: calls, publications, queues.
#include <fmt/format.h>

#include "cli/survey.hpp"
#include "cli/target.hpp"
#include "weft/queue/queue.hpp"

namespace weft::cli {

namespace {

struct BenchArguments {
  std::string target, topic, payload;
  std::size_t size = 128, outstanding = 10, subscribers = 1;
  Duration duration = std::chrono::seconds(5);
};

mesh::Payload payload_of(const BenchArguments& arguments) {
  return arguments.payload.empty() ? mesh::Payload::raw(std::string(arguments.size, 'x'))
                                   : mesh::Payload::json(arguments.payload);
}

/// What all callers of a run share.
struct Run {
  Session& session;
  Target target;
  mesh::Payload payload;
  TimePoint end;
  Distribution times{};
  std::map<std::string, std::size_t> failures{};  // by code
  std::size_t callers = 0;
  Completion<bool>::Completer done{};
};

Task<void> caller(Run& run) {
  mesh::CallOptions options(run.session.global().timeout);
  options.host = run.target.host;
  while (run.session.loop().now() < run.end) {
    const TimePoint begin = run.session.loop().now();
    auto reply = co_await run.session.mesh().call(run.target.text(), run.payload, options);
    if (reply) {
      run.times.add(run.session.loop().now() - begin);
    } else {
      ++run.failures[reply.error().code];
      co_await sleep_for(run.session.loop(), 1ms);
    }
  }
  if (--run.callers == 0) run.session.loop().post([&run] { run.done.complete(true); });
}

Task<int> bench_call(Session& session, Target target, const BenchArguments& arguments) {
  mesh::CallOptions options(session.global().timeout);
  options.host = target.host;
  auto first = co_await session.mesh().call(target.text(), payload_of(arguments), options);
  if (!first) co_return fail(session.global(), first.error());
  const TimePoint begin = session.loop().now();
  Run run{session, std::move(target), payload_of(arguments), begin + arguments.duration};
  run.callers = arguments.outstanding;
  Completion<bool> all;
  run.done = all.completer();
  TaskScope calling;
  for (std::size_t i = 0; i < arguments.outstanding; ++i) calling.spawn(caller(run));
  (void)co_await all;
  const double seconds = to_seconds(session.loop().now() - begin);
  const double rate = static_cast<double>(run.times.size()) / seconds;
  std::size_t failed = 0;
  Value failures = Value::Map();
  for (const auto& [code, count] : run.failures) {
    failed += count;
    failures.set(code, count);
  }
  if (session.global().json) {
    Value document;
    document.set("target", run.target.text());
    document.set("outstanding", arguments.outstanding);
    document.set("payload_bytes", run.payload.bytes.size());
    document.set("seconds", seconds);
    document.set("calls", run.times.size());
    document.set("calls_per_second", rate);
    document.set("latency", run.times.to_json());
    document.set("failures", failures);
    print_json(document);
  } else {
    print_line(fmt::format("{} calls in {:.2f} s, {} a second, {} outstanding, {} bytes each; {} failed",
                           run.times.size(), seconds, shown_rate(rate), arguments.outstanding, run.payload.bytes.size(),
                           failed));
    Table table({"MIN", "P50", "P90", "P99", "MAX"});
    std::vector<std::string> cells;
    for (const double part : {0.0, 0.5, 0.9, 0.99, 1.0}) cells.push_back(shown_time(run.times.quantile(part)));
    table.add(std::move(cells));
    table.print();
    for (const auto& [code, count] : run.failures) print_line(std::to_string(count) + " times " + code);
  }
  co_return failed == 0 ? kDone : kFailed;
}

/// Publishes as fast as the loop turns, and hears itself through as many subscriptions as asked for.
Task<int> bench_pub(Session& session, const BenchArguments& arguments) {
  constexpr std::size_t kTurn = 256;
  std::uint64_t published = 0, delivered = 0, missed = 0;
  std::vector<mesh::Subscription> subscriptions;
  for (std::size_t i = 0; i < arguments.subscribers; ++i) {
    auto one = session.mesh().subscribe(arguments.topic, [&, i](const mesh::Event& event) {
      ++delivered;
      if (i == 0) missed += event.missed;
    });
    if (!one) co_return fail(session.global(), one.error());
    subscriptions.push_back(std::move(*one));
  }
  const mesh::Payload payload = payload_of(arguments);
  if (auto announced = session.mesh().publishes(arguments.topic); !announced)
    co_return fail(session.global(), announced.error());
  const TimePoint patience = session.loop().now() + session.global().timeout;
  while (arguments.subscribers > 0 && delivered == 0 && session.loop().now() < patience) {
    if (auto sent = session.mesh().publish(arguments.topic, payload); !sent)
      co_return fail(session.global(), sent.error());
    co_await sleep_for(session.loop(), 5ms);
  }
  delivered = missed = 0;
  const TimePoint begin = session.loop().now();
  while (session.loop().now() < begin + arguments.duration) {
    for (std::size_t i = 0; i < kTurn; ++i, ++published) (void)session.mesh().publish(arguments.topic, payload);
    co_await sleep_for(session.loop(), Duration::zero());
  }
  const double seconds = to_seconds(session.loop().now() - begin);
  co_await sleep_for(session.loop(), 200ms);  // what is still on its way
  if (session.global().json) {
    Value document;
    document.set("topic", arguments.topic);
    document.set("published", published);
    document.set("published_per_second", static_cast<double>(published) / seconds);
    document.set("delivered", delivered);
    document.set("delivered_per_second", static_cast<double>(delivered) / seconds);
    document.set("missed", missed);
    print_json(document);
  } else {
    print_line(
        fmt::format("{} published in {:.2f} s, {} a second; {} delivered to {} subscriptions, {} a second; {} missed",
                    published, seconds, shown_rate(static_cast<double>(published) / seconds), delivered,
                    arguments.subscribers, shown_rate(static_cast<double>(delivered) / seconds), missed));
  }
  co_return kDone;
}

/// Items of a queue, as many at a time as asked for; the command is their producer.
struct QueueRun {
  Session& session;
  queue::Queues& queues;
  const BenchArguments& arguments;
  TimePoint end;
  Distribution times{};
  std::map<std::string, std::size_t> failures{};  // by code
  std::size_t pushers = 0;
  Completion<bool>::Completer done{};
};

Task<void> pusher(QueueRun& run) {
  while (run.session.loop().now() < run.end) {
    const TimePoint begin = run.session.loop().now();
    queue::PushOptions how(queue::Priority::normal);
    how.timeout = run.session.global().timeout;
    auto receipt = co_await run.queues.push(run.arguments.target, payload_of(run.arguments), how);
    Result<mesh::Payload> outcome = receipt ? Result<mesh::Payload>(mesh::Payload()) : receipt.error();
    if (receipt) outcome = co_await receipt->done();
    if (outcome) {
      run.times.add(run.session.loop().now() - begin);
    } else {
      ++run.failures[outcome.error().code];
      co_await sleep_for(run.session.loop(), 1ms);
    }
  }
  if (--run.pushers == 0) run.session.loop().post([&run] { run.done.complete(true); });
}

Task<int> bench_queue(Session& session, const BenchArguments& arguments) {
  if (auto why = parse_target(arguments.target); !why) co_return fail(session.global(), why.error());
  const std::string agent = arguments.target.substr(0, arguments.target.find('.'));
  Who who;
  who.agent = agent;
  if (auto workers = find_instances(session.mesh().directory(), who); !workers)
    co_return fail(session.global(), workers.error());
  queue::Options options;
  options.agent = "weft";
  options.instance = session.mesh().peer().options().instance.to_string();
  observe::Metrics metrics;
  observe::LogOptions quiet;
  quiet.level = observe::Level::fatal;
  observe::Log log(quiet);
  queue::Queues queues(session.loop(), session.mesh(), options, metrics, log);
  const TimePoint begin = session.loop().now();
  QueueRun run{session, queues, arguments, begin + arguments.duration};
  run.pushers = arguments.outstanding;
  Completion<bool> all;
  run.done = all.completer();
  TaskScope pushing;
  for (std::size_t i = 0; i < arguments.outstanding; ++i) pushing.spawn(pusher(run));
  (void)co_await all;
  const double seconds = to_seconds(session.loop().now() - begin);
  const double rate = static_cast<double>(run.times.size()) / seconds;
  std::size_t failed = 0;
  Value failures = Value::Map();
  for (const auto& [code, count] : run.failures) {
    failed += count;
    failures.set(code, count);
  }
  if (session.global().json) {
    Value document;
    document.set("queue", arguments.target);
    document.set("outstanding", arguments.outstanding);
    document.set("items", run.times.size());
    document.set("items_per_second", rate);
    document.set("latency", run.times.to_json());
    document.set("failures", failures);
    print_json(document);
  } else {
    print_line(fmt::format("{} items done in {:.2f} s, {} a second, {} outstanding; p50 {}, p99 {}; {} failed",
                           run.times.size(), seconds, shown_rate(rate), arguments.outstanding,
                           shown_time(run.times.quantile(0.5)), shown_time(run.times.quantile(0.99)), failed));
  }
  co_return failed == 0 ? kDone : kFailed;
}

void add_load_options(CLI::App& verb, BenchArguments& arguments) {
  verb.add_option("--size", arguments.size, "Bytes of the payload")->check(CLI::Range(0, 16 << 20));
  verb.add_option("--payload", arguments.payload, "JSON instead of --size bytes")->type_name("JSON");
  add_duration(verb, "--duration", arguments.duration, "How long");
}

}  // namespace

void add_bench_commands(CLI::App& app, Global& global) {
  auto* group = add_group(app, "bench", "Put load on the mesh, and measure");
  auto* call_verb = add_verb(*group, "call", "Call a method as fast as it answers",
                             {"weft bench call echo.echo", "weft bench call echo.echo@beta --outstanding 1000 --json"});
  auto calls = std::make_shared<BenchArguments>();
  call_verb->add_option("target", calls->target, "The method")->required()->type_name("AGENT.METHOD[@HOST]");
  call_verb->add_option("--outstanding", calls->outstanding, "Calls at a time")->check(CLI::Range(1, 100'000));
  add_load_options(*call_verb, *calls);
  on_run(*call_verb, global, [&global, calls] {
    auto target = parse_target(calls->target);
    if (!target) return fail(global, target.error());
    return run_in_mesh(global, [&](Session& session) { return bench_call(session, *target, *calls); });
  });

  auto* queue_verb = add_verb(*group, "queue", "Push items and wait until each is done",
                              {R"(weft bench queue resizer.resize --payload '{"picture": "cat.png", "width": 100}')",
                               "weft bench queue worker.work --outstanding 100 --json"});
  auto items = std::make_shared<BenchArguments>();
  queue_verb->add_option("queue", items->target, "Its name")->required()->type_name("AGENT.METHOD");
  queue_verb->add_option("--outstanding", items->outstanding, "Items at a time")->check(CLI::Range(1, 10'000));
  add_load_options(*queue_verb, *items);
  on_run(*queue_verb, global, [&global, items] {
    return run_in_mesh(global, [&](Session& session) { return bench_queue(session, *items); });
  });

  auto* pub_verb = add_verb(*group, "pub", "Publish as fast as this process can, and hear it",
                            {"weft bench pub bench.topic", "weft bench pub bench.topic --size 1024 --subscribers 0"});
  auto pubs = std::make_shared<BenchArguments>();
  pubs->topic = "bench.topic";
  pub_verb->add_option("topic", pubs->topic, "The topic")->type_name("TOPIC");
  pub_verb->add_option("--subscribers", pubs->subscribers, "Subscriptions of this process to it")
      ->check(CLI::Range(0, 1000));
  add_load_options(*pub_verb, *pubs);
  on_run(*pub_verb, global, [&global, pubs] {
    return run_in_mesh(
        global, [&](Session& session) { return bench_pub(session, *pubs); }, Session::Role::publisher);
  });
}

}  // namespace weft::cli
