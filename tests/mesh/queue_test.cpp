// Who gets which items, over real sockets, on a loop whose time the test moves.
#include "tests/mesh/queue_fixture.hpp"
#include "weft/base/trace_context.hpp"

using namespace weft;
using namespace weft::queue;
using wire::Payload;
using Fixture = test::QueueFixture;
using Process = test::QueueProcess;

TEST_CASE_METHOD(Fixture, "an item reaches a worker, and its pusher gets what the handler answered") {
  auto works = worker(noting("w"));
  auto shop = producer();
  auto receipt = pushed(*shop, "a");
  CHECK(wait(receipt.done())->text() == "done by w");
  REQUIRE(done.size() == 1);
  CHECK(done[0].attempt == 1);
  CHECK(until([&] { return info(*shop).finished == 1; }));
  CHECK(info(*shop).in_flight == 0);
}

TEST_CASE_METHOD(Fixture,
                 "items wait for a worker that comes later, and go by priority, first in first out within each") {
  auto shop = producer();
  std::vector<Receipt> receipts;
  for (const char* name : {"5", "6"}) receipts.push_back(pushed(*shop, name, PushOptions(Priority::low)));
  for (const char* name : {"3", "4"}) receipts.push_back(pushed(*shop, name));
  for (const char* name : {"1", "2"}) receipts.push_back(pushed(*shop, name, PushOptions(Priority::high)));
  CHECK(info(*shop).high == 2);
  auto works = worker(noting("w"));
  for (auto& receipt : receipts) CHECK(wait(receipt.done()));
  std::string order;
  for (const auto& one : done) order += one.what;
  CHECK(order == "123456");
}

TEST_CASE_METHOD(Fixture, "an item belongs at every attempt to the trace of who pushed it") {
  std::vector<TraceContext> traces;
  auto works = worker([&](const Item& item) -> Task<Result<Payload>> {
    traces.push_back(item.call.trace());
    if (item.attempt == 1) co_return Error(ErrorKind::internal, "BAD-PIXEL", "no such pixel");
    co_return Payload();
  });
  auto shop = producer();
  const auto pusher = shop->tracer->start_sampled();
  PushOptions options;
  options.trace = pusher;
  CHECK(wait(pushed(*shop, "told", options).done()));
  REQUIRE(traces.size() == 2);
  const auto sent = shop->tracer->of_trace(pusher.trace_id), handled = works->tracer->of_trace(pusher.trace_id);
  REQUIRE(sent.size() == 2);
  REQUIRE(handled.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(sent[i].parent == pusher.span_id);
    CHECK(handled[i].parent == sent[i].context.span_id);
    CHECK(traces[i] == handled[i].context);
  }
  {
    const TraceScope scope(pusher);
    tasks.spawn([](Process& from) -> Task<void> {
      (void)co_await from.queues->push("worker.resize", Payload::raw("untold"));
    }(*shop));
  }
  REQUIRE(until([&] { return traces.size() == 4; }));
  CHECK(traces[3].trace_id == pusher.trace_id);
}

TEST_CASE_METHOD(Fixture, "a slow worker gets a smaller share") {
  auto fast = worker(slow("fast", 2ms), 2, "alpha");
  auto lame = worker(slow("lame", 100ms), 2, "beta");
  auto shop = producer();
  for (int i = 0; i < 100; ++i) (void)pushed(*shop, std::to_string(i));
  REQUIRE(until([&] { return done.size() == 100; }, 20s));
  CHECK(names().size() == 100);
  const auto by_lame = std::count_if(done.begin(), done.end(), [](const auto& one) { return one.who == "lame"; });
  CHECK(by_lame >= 1);
  CHECK(by_lame <= 20);
}

TEST_CASE_METHOD(Fixture, "a worker shares its capacity fairly between producers") {
  auto works = worker(slow("w", 1ms), 1);
  auto shop = producer();
  auto other = process("other");
  start(*other);
  for (int i = 0; i < 60; ++i) (void)pushed(*shop, "shop" + std::to_string(i));
  for (int i = 0; i < 20; ++i) (void)pushed(*other, "other" + std::to_string(i));
  REQUIRE(until([&] { return info(*other).finished == 20; }, 20s));
  CHECK(info(*shop).finished < 45);  // not 60 first
  REQUIRE(until([&] { return info(*shop).finished == 60; }, 20s));
}

TEST_CASE_METHOD(Fixture, "items that come while an offer is held are not forgotten when the answers have used it up") {
  auto works = worker(slow("w", 20ms), 1);
  auto shop = producer();
  std::size_t count = 0;
  for (int round = 0; round < 10; ++round) {  // an item with the worker, one offered, more that come while it works
    for (int i = 0; i < 2; ++i) (void)pushed(*shop, std::to_string(++count));
    REQUIRE(until([&] { return info(*shop).workers.at(0).offered; }));
    (void)pushed(*shop, std::to_string(++count));
    const auto begin = loop.now();
    REQUIRE(until([&] { return done.size() == count; }));
    CHECK(loop.now() - begin < 2s);
  }
}

TEST_CASE_METHOD(Fixture, "no worker handles more at once than it said") {
  std::size_t now = 0, most = 0;
  auto works = worker(
      [&](const Item&) -> Task<Result<Payload>> {
        most = std::max(most, ++now);
        co_await sleep_for(loop, 3ms);
        --now;
        co_return Payload();
      },
      4);
  auto shop = producer();
  for (int i = 0; i < 60; ++i) (void)pushed(*shop, std::to_string(i));
  REQUIRE(until([&] { return info(*shop).finished == 60; }));
  CHECK(most == 4);
}

TEST_CASE_METHOD(Fixture, "what a dying worker had is given to another, at the head of the queue") {
  auto lame = worker(slow("lame", 1h), 3, "alpha");
  auto shop = producer();
  std::vector<Receipt> receipts;
  for (int i = 0; i < 6; ++i) receipts.push_back(pushed(*shop, std::to_string(i)));
  REQUIRE(until([&] { return info(*shop).in_flight == 3; }));
  auto fast = worker(noting("fast"), 1, "beta");
  const auto id = lame->mesh->peer().record().instance;
  lame.reset();
  registry.remove(id, "killed");
  for (auto& receipt : receipts) CHECK(wait(receipt.done()));
  CHECK(names().size() == 6);
  CHECK(info(*shop).redelivered == 3);
  const auto again = std::count_if(done.begin(), done.end(), [](const auto& one) { return one.attempt == 2; });
  CHECK(again == 3);
}

TEST_CASE_METHOD(Fixture, "at most once: what a dying worker had is a dead letter, and given to nobody") {
  rules = Value::Map{{"worker", Value::Map{{"delivery", "at_most_once"}}}};
  auto lame = worker(slow("lame", 1h), 2, "alpha");
  auto shop = producer();
  std::vector<Receipt> receipts;
  for (int i = 0; i < 4; ++i) receipts.push_back(pushed(*shop, std::to_string(i)));
  REQUIRE(until([&] { return info(*shop).in_flight == 2; }));
  auto fast = worker(noting("fast"), 1, "beta");
  const auto id = lame->mesh->peer().record().instance;
  lame.reset();
  registry.remove(id, "killed");
  int dead = 0;
  for (auto& receipt : receipts) {
    const auto outcome = wait(receipt.done());
    if (outcome) continue;
    ++dead;
    CHECK(outcome.error().is(codes::dead_lettered));
  }
  CHECK(dead == 2);
  CHECK(names() == std::set<std::string>{"2", "3"});
  CHECK(info(*shop).dead_letters == 2);
}

TEST_CASE_METHOD(Fixture, "no policy for calls sends an item twice, cuts it short, or breaks off who takes its time") {
  policies =
      test::policies_of({"*.retry.on=failed", "*.retry.attempt_timeout=20ms", "*.retry.base=1ms", "*.hedge.after=5ms",
                         "*.breaker.slow=1ms", "*.breaker.slow_ratio=0.1", "*.breaker.calls_min=1"});
  rules = Value::Map{{"*", Value::Map{{"delivery", "at_most_once"}, {"item_timeout", "200ms"}}}};
  int begun = 0;
  auto works = worker([this, &begun](const Item& item) -> Task<Result<Payload>> {
    ++begun;
    co_await sleep_for(loop, item.payload.text() == "stuck" ? Duration(1h) : Duration(60ms));
    co_return Payload();
  });
  auto shop = producer();
  for (const char* name : {"1", "2", "3"}) {
    auto receipt = pushed(*shop, name);
    CHECK(wait([](Receipt item) -> Task<Result<Payload>> { co_return co_await item.done(); }(std::move(receipt))));
  }
  CHECK(begun == 3);
  (void)pushed(*shop, "stuck");
  REQUIRE(until([&] { return info(*shop).dead_letters == 1; }));
  CHECK(begun == 4);
}

TEST_CASE_METHOD(Fixture, "who waits for an item may end its producer") {
  auto works = worker(noting("w"));
  auto shop = producer();
  auto receipt = pushed(*shop, "a");
  bool ended = false;
  tasks.spawn([](Receipt item, std::unique_ptr<Process>& whole, bool& out) -> Task<void> {
    (void)co_await item.done();
    whole->queues.reset();
    out = true;
  }(std::move(receipt), shop, ended));
  REQUIRE(until([&] { return ended; }));
}

TEST_CASE_METHOD(Fixture,
                 "an item that takes longer than its time goes to another worker, and the stuck one gets no more") {
  rules = Value::Map{{"*", Value::Map{{"item_timeout", "200ms"}}}};
  auto hangs = worker(slow("hangs", 1h), 2, "alpha");
  auto shop = producer();
  auto first = pushed(*shop, "first");
  REQUIRE(until([&] { return info(*shop).in_flight == 1; }));
  auto fine = worker(noting("fine"), 1, "beta");
  CHECK(wait(first.done())->text() == "done by fine");
  for (int i = 0; i < 10; ++i) CHECK(wait(pushed(*shop, std::to_string(i)).done())->text() == "done by fine");
  REQUIRE(until([&] { return hangs->queues->info().served.at(0).stuck; }));
  CHECK(hangs->queues->info().served.at(0).running == 1);
}
