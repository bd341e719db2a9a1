// weft bench: load on a mesh that runs, and what it does: calls, publications, queues.
#include <fmt/format.h>

#include "cli/queues.hpp"
#include "cli/survey.hpp"
#include "cli/target.hpp"
#include "weft/base/pacer.hpp"
#include "weft/queue/queue.hpp"

namespace weft::cli {

namespace {

constexpr Duration kPatience = 1s;  // with what does not end when it should

struct BenchArguments {
  std::string target, topic, payload;
  std::size_t size = 128, outstanding = 10, subscribers = 1;
  bool outstanding_given = false;
  double rate = 0;  ///< a second; 0: as many as `outstanding` allows
  Duration duration = 5s;
};

constexpr std::size_t kRateOutstanding = 10'000;

wire::Payload payload_of(const BenchArguments& arguments) {
  return arguments.payload.empty() ? wire::Payload::raw(std::string(arguments.size, 'x'))
                                   : wire::Payload::json(arguments.payload);
}

/// What is measured, so many at a time until the time is up, or so many a second.
struct Load {
  Session& session;
  std::function<Task<Result<wire::Payload>>()> once;
  TimePoint begin, end;
  Distribution times{};
  std::map<std::string, std::size_t> failures{};  // by code
  std::size_t failed = 0, running = 0, held_back = 0;
  double seconds = 0;
  Completion<bool>::Completer done{};
};

Task<bool> measure_one(Load& load) {
  Loop& loop = load.session.loop();
  const TimePoint begin = loop.now();
  auto outcome = co_await load.once();
  if (outcome) {
    load.times.add(loop.now() - begin);
  } else {
    ++load.failed;
    ++load.failures[outcome.error().code];
  }
  co_return outcome.has_value();
}

Task<void> repeat(Load& load) {
  Loop& loop = load.session.loop();
  while (loop.now() < load.end) {
    const bool fine = co_await measure_one(load);
    if (!fine) co_await sleep_for(loop, 1ms);
  }
  if (--load.running == 0) loop.post([&load] { load.done.complete(true); });  // who waits ends this task's scope
}

/// Ctrl-C ends it before its time; what has not ended some time after that has failed.
Task<void> run_load(Load& load, std::size_t outstanding) {
  load.running = outstanding;
  Completion<bool> all;
  load.done = all.completer();
  Loop& loop = load.session.loop();
  const auto give_up = [&load] {
    if (load.running == 0) return;
    load.failed += load.running;
    load.failures[std::string(codes::deadline_exceeded.id)] += load.running;
    load.done.complete(true);
  };
  Timer patience(loop);
  patience.start(load.end - loop.now() + load.session.global().timeout + kPatience, give_up);
  load.session.on_interrupt([&] {
    load.end = loop.now();
    patience.start(kPatience, give_up);
  });
  TaskScope running;
  for (std::size_t i = 0; i < outstanding; ++i) running.spawn(repeat(load));
  (void)co_await all;
  load.session.on_interrupt({});
  load.seconds = to_seconds(load.session.loop().now() - load.begin);
}

Task<void> one_of_rate(Load& load) {
  (void)co_await measure_one(load);
  --load.running;
}

/// At a steady rate, whatever becomes of those before. What would be more than `outstanding` is not begun.
Task<void> run_rate(Load& load, const BenchArguments& arguments) {
  constexpr std::uint64_t kTurn = 256;
  Loop& loop = load.session.loop();
  Pacer pacer(arguments.rate, static_cast<std::uint64_t>(arguments.rate * to_seconds(load.end - load.begin) + 0.5),
              load.begin);
  bool stop = false;
  load.session.on_interrupt([&stop] { stop = true; });
  TaskScope running;
  while (!stop && !pacer.finished()) {
    for (auto due = pacer.due(loop.now(), kTurn); due > 0; --due) {
      if (load.running >= arguments.outstanding) {
        ++load.held_back;
        continue;
      }
      ++load.running;
      running.spawn(one_of_rate(load));
    }
    co_await sleep_for(loop, 1ms);
  }
  while (load.running > 0) co_await sleep_for(loop, 1ms);
  load.session.on_interrupt({});
  load.seconds = to_seconds(loop.now() - load.begin);
}

/// `what` is "calls" or "items"; the exit code.
int show(const BenchArguments& arguments, const char* what, std::size_t payload_bytes, Load& load) {
  const double rate = static_cast<double>(load.times.size()) / load.seconds;
  if (load.session.global().json) {
    Value failures = Value::Map();
    for (const auto& [code, count] : load.failures) failures.set(code, count);
    Value document;
    document.set("target", arguments.target);
    document.set("outstanding", arguments.outstanding);
    document.set("payload_bytes", payload_bytes);
    document.set("seconds", load.seconds);
    document.set(what, load.times.size());
    document.set(std::string(what) + "_per_second", rate);
    if (arguments.rate > 0) document.set("rate", arguments.rate);
    document.set("latency", load.times.to_json());
    document.set("failed", load.failed);
    document.set("held_back", load.held_back);
    document.set("failures", std::move(failures));
    print_json(document);
  } else {
    print_line(fmt::format("{} {} in {:.2f} s, {} a second, {}{} outstanding, {} bytes each; {} failed",
                           load.times.size(), what, load.seconds, shown_rate(rate),
                           arguments.rate > 0 ? "at most " : "", arguments.outstanding, payload_bytes, load.failed));
    Table table({"MIN", "P50", "P90", "P99", "MAX"});
    std::vector<std::string> cells;
    for (const double part : {0.0, 0.5, 0.9, 0.99, 1.0}) cells.push_back(shown_time(load.times.quantile(part)));
    table.add(std::move(cells));
    table.print();
    for (const auto& [code, count] : load.failures) print_line("failed with " + code + ": " + std::to_string(count));
    if (load.held_back > 0)
      print_line(fmt::format("{} not begun: {} were outstanding", load.held_back, arguments.outstanding));
  }
  return load.failed + load.held_back == 0 ? kDone : kFailed;
}

Task<int> bench_call(Session& session, Target target, const BenchArguments& arguments) {
  calls::CallOptions options(session.global().timeout);
  options.host = target.host;
  const wire::Payload payload = payload_of(arguments);
  auto first = co_await session.mesh().call(target.text(), payload, options);
  if (!first) co_return fail(session.global(), first.error());
  const TimePoint begin = session.loop().now();
  Load load{session, [&] { return session.mesh().call(target.text(), payload, options); }, begin,
            begin + arguments.duration};
  if (arguments.rate > 0) {
    co_await run_rate(load, arguments);
  } else {
    co_await run_load(load, arguments.outstanding);
  }
  co_return show(arguments, "calls", payload.bytes.size(), load);
}

/// Publishes as fast as the loop turns, and hears itself through as many subscriptions as asked for.
Task<int> bench_pub(Session& session, const BenchArguments& arguments) {
  constexpr std::size_t kTurn = 256;
  std::uint64_t published = 0, delivered = 0, missed = 0;
  std::vector<events::Subscription> subscriptions;
  for (std::size_t i = 0; i < arguments.subscribers; ++i) {
    auto one = session.mesh().subscribe(arguments.topic, [&, i](const events::Event& event) {
      ++delivered;
      if (i == 0) missed += event.missed;
    });
    if (!one) co_return fail(session.global(), one.error());
    subscriptions.push_back(std::move(*one));
  }
  const wire::Payload payload = payload_of(arguments);
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
  bool stop = false;
  session.on_interrupt([&stop] { stop = true; });
  while (!stop && session.loop().now() < begin + arguments.duration) {
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

/// Pushes an item and waits until it is done.
Task<Result<wire::Payload>> push_one(queue::Queues& queues, const BenchArguments& arguments, Duration timeout) {
  queue::PushOptions how(queue::Priority::normal);
  how.timeout = timeout;
  auto receipt = co_await queues.push(arguments.target, payload_of(arguments), how);
  if (!receipt) co_return receipt.error();
  co_return co_await receipt->done();
}

Task<int> bench_queue(Session& session, Target target, const BenchArguments& arguments) {
  if (auto fine = check_queue(session, target.text()); !fine) co_return fail(session.global(), fine.error());
  CommandQueues own(session);
  const TimePoint begin = session.loop().now();
  Load load{session, [&] { return push_one(own.queues(), arguments, session.global().timeout); }, begin,
            begin + arguments.duration};
  co_await run_load(load, arguments.outstanding);
  co_return show(arguments, "items", payload_of(arguments).bytes.size(), load);
}

int run_bench(const Global& global, const BenchArguments& arguments, const std::function<Task<int>(Session&)>& work,
              Session::Role role = Session::Role::onlooker) {
  if (!arguments.payload.empty()) {
    if (auto payload = read_payload(arguments.payload, false); !payload) return fail(global, payload.error());
  }
  return run_in_mesh(global, work, role);
}

std::vector<Option> with_load_options(std::vector<Option> options, BenchArguments& arguments) {
  options.push_back(number("--size", arguments.size, {0, 16 << 20}, "Bytes of the payload"));
  options.push_back(text("--payload", arguments.payload, "JSON", "JSON instead of --size bytes"));
  options.push_back(duration("--duration", arguments.duration, "How long"));
  return options;
}

int run_bench_call(const Global& global, BenchArguments& arguments) {
  if (arguments.rate > 0 && !arguments.outstanding_given) arguments.outstanding = kRateOutstanding;
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  return run_bench(global, arguments, [&](Session& session) { return bench_call(session, *target, arguments); });
}

int run_bench_queue(const Global& global, const BenchArguments& arguments) {
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  return run_bench(global, arguments, [&](Session& session) { return bench_queue(session, *target, arguments); });
}

int run_bench_pub(const Global& global, const BenchArguments& arguments) {
  const auto work = [&](Session& session) { return bench_pub(session, arguments); };
  return run_bench(global, arguments, work, Session::Role::publisher);
}

Verb call_verb() {
  auto calls = std::make_shared<BenchArguments>();
  return {.name = "call",
          .summary = "Call a method as fast as it answers, or at a steady rate",
          .examples = {"weft bench call echo.echo", "weft bench call echo.echo@beta --outstanding 1000 --json",
                       "weft bench call echo.echo --rate 5000 --duration 1m"},
          .options = with_load_options(
              {text("target", calls->target, "AGENT.METHOD[@HOST]", "The method").required(),
               number("--outstanding", calls->outstanding, {1, 100'000},
                      "Calls at a time; with --rate at most, 10000 if not said")
                   .noting(calls->outstanding_given),
               real("--rate", calls->rate, {0.001, 1e6}, "Calls a second, whatever becomes of those before")},
              *calls),
          .run = [calls](const Global& global) { return run_bench_call(global, *calls); }};
}

Verb queue_verb() {
  auto items = std::make_shared<BenchArguments>();
  return {.name = "queue",
          .summary = "Push items and wait until each is done",
          .examples = {R"(weft bench queue resizer.resize --payload '{"name": "cat.png", "width": 100}')",
                       R"(weft bench queue resizer.resize --payload '{"name": "cat.png"}' --outstanding 100 --json)"},
          .options = with_load_options({text("queue", items->target, "AGENT.METHOD", "Its name").required(),
                                        number("--outstanding", items->outstanding, {1, 10'000}, "Items at a time")},
                                       *items),
          .run = [items](const Global& global) { return run_bench_queue(global, *items); }};
}

Verb pub_verb() {
  auto pubs = std::make_shared<BenchArguments>();
  pubs->topic = "bench.topic";
  return {.name = "pub",
          .summary = "Publish as fast as this process can, and hear it",
          .examples = {"weft bench pub bench.topic", "weft bench pub bench.topic --size 1024 --subscribers 0"},
          .options = with_load_options(
              {text("topic", pubs->topic, "TOPIC", "The topic").with_default_shown(),
               number("--subscribers", pubs->subscribers, {0, 1000}, "Subscriptions of this process to it")},
              *pubs),
          .run = [pubs](const Global& global) { return run_bench_pub(global, *pubs); }};
}

}  // namespace

std::vector<Verb> bench_verbs() {
  return {{.name = "bench",
           .summary = "Put load on the mesh, and measure",
           .verbs = {call_verb(), queue_verb(), pub_verb()}}};
}

}  // namespace weft::cli
