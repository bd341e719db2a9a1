// What is kept, refused and given up.
#include <sys/stat.h>

#include <fstream>

#include "tests/mesh/queue_fixture.hpp"
#include "weft/queue/messages.hpp"
#include "weft/store/store.hpp"

using namespace weft;
using namespace weft::queue;
using wire::Payload;
using Process = test::QueueProcess;

namespace {

struct Fixture : test::QueueFixture {
  /// Flips a bit of the first byte of `text` in the file of shop.
  void flip(const std::string& text) const {
    const std::string file = std::string(folder / "shop@alpha") + ".os.db";
    std::ifstream in(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto at = bytes.rfind(text);
    REQUIRE(at != std::string::npos);
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
};

}  // namespace

TEST_CASE_METHOD(
    Fixture,
    "an item that fails each time is a dead letter after its attempts; shown, edited and replayed it is done") {
  rules = Value::Map{{"*", Value::Map{{"attempts", 3}, {"retry_delay", "5ms"}}}};
  auto works = worker([&](const Item& item) -> Task<Result<Payload>> {
    done.push_back({"w", std::string(item.payload.text()), item.attempt});
    if (item.payload.text() == "poison") co_return Error(ErrorKind::internal, "BAD-PIXEL", "no such pixel");
    if (item.payload.text() == "throw") throw std::runtime_error("a bug");
    co_return Payload::raw("fine");
  });
  auto shop = producer();
  PushOptions options;
  options.headers = {{"from", "test"}};
  auto receipt = pushed(*shop, "poison", options);
  const auto outcome = wait(receipt.done());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().is(codes::dead_lettered));
  CHECK(outcome.error().message.find("no such pixel") != std::string::npos);
  CHECK(done.size() == 3);

  const std::string id = receipt.id().to_string();
  const auto listed = ask<DeadLettersReply>(*works, "shop._dlq_list", DeadLettersRequest{});
  REQUIRE(listed);
  REQUIRE(listed->letters.size() == 1);
  CHECK(listed->letters[0].id == receipt.id());
  CHECK(listed->letters[0].attempts.size() == 3);
  CHECK(listed->letters[0].attempts[2].text == "no such pixel");
  CHECK(listed->letters[0].attempts[2].host == "alpha");
  const auto shown = ask<DeadLetterReply>(*works, "shop._dlq_show", DeadLetterRequest{id});
  REQUIRE(shown);
  CHECK(as_text(shown->payload) == "poison");
  CHECK(shown->letter.headers.at("from") == "test");

  ReplayRequest replay;
  replay.ids = {id, "01ARZ3NDEKTSV4RRFFQ69G5FAV"};
  replay.encoding = 0;
  const auto mended = as_bytes("mended");
  replay.payload = Bytes(mended.begin(), mended.end());
  const auto replayed = ask<ReplayReply>(*works, "shop._dlq_replay", replay);
  REQUIRE(replayed);
  CHECK(replayed->replayed == 1);
  CHECK(replayed->unknown.size() == 1);
  REQUIRE(until([&] { return done.back().what == "mended"; }));
  CHECK(done.back().attempt == 1);
  CHECK(until([&] { return info(*shop).finished == 1; }));
  CHECK(info(*shop).dead_letters == 0);

  CHECK(wait(pushed(*shop, "throw").done()).error().message.find("a bug") != std::string::npos);
  const auto purged = ask<PurgeReply>(*works, "shop._dlq_purge", PurgeRequest{});
  REQUIRE(purged);
  CHECK(purged->purged == 1);
}

TEST_CASE_METHOD(Fixture, "an item that can never be done is a dead letter at once") {
  auto works = worker([&](const Item& item) -> Task<Result<Payload>> {
    done.push_back({"w", "", item.attempt});
    co_return Error(codes::bad_payload, "no picture");
  });
  auto shop = producer();
  CHECK_FALSE(wait(pushed(*shop, "x").done()));
  CHECK(done.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a full queue refuses, and each refusal is counted by its reason") {
  rules = Value::Map{{"worker.resize", Value::Map{{"items_max", 2}}}};
  auto shop = producer();
  (void)pushed(*shop, "a");
  (void)pushed(*shop, "b");
  for (int i = 0; i < 3; ++i) {
    const auto refused = push(*shop, "c");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::overloaded);
  }
  CHECK(info(*shop).refused == 3);
  const auto text = shop->metrics.render(observe::Metrics::Format::text);
  CHECK(text.find("weft_queue_refused_total{queue=\"worker.resize\",reason=\"items_max\"} 3") != std::string::npos);
  CHECK(text.find("weft_queue_depth{priority=\"normal\",queue=\"worker.resize\"} 2") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what is no target, too large or pushed while stopping is refused") {
  auto shop = producer();
  CHECK(wait(shop->queues->push("nodot", {})).error().is(codes::bad_name));
  CHECK(wait(shop->queues->push("a b.c", {})).error().is(codes::bad_name));
  CHECK(wait(shop->queues->push("a.b", Payload(wire::Encoding::raw, Bytes(16 * 1024 * 1024))))
            .error()
            .is(codes::too_large));
  PushOptions options;
  options.headers["x"] = std::string(5000, 'x');
  CHECK(push(*shop, "a", options).error().is(codes::too_large));
  tasks.spawn(shop->queues->drain(1ms));
  CHECK(push(*shop, "a").error().is(codes::draining));
}

TEST_CASE_METHOD(Fixture, "what a producer had accepted on disk its next process gives") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}}}};
  auto shop = producer();
  for (const char* name : {"1", "2", "3"}) (void)pushed(*shop, name);
  PushOptions first(Priority::high);
  const auto pusher = shop->tracer->start_sampled();
  first.trace = pusher;
  (void)pushed(*shop, "0", first);
  const auto id = shop->mesh->peer().record().instance;
  shop.reset();
  registry.remove(id, "killed");
  shop = producer();
  CHECK(info(*shop).restored == 4);
  auto works = worker(noting("w"));
  REQUIRE(until([&] { return done.size() == 4; }));
  std::string order;
  for (const auto& one : done) order += one.what;
  CHECK(order == "0123");
  CHECK(until([&] { return works->tracer->of_trace(pusher.trace_id).size() == 1; }));
  REQUIRE(until([&] { return info(*shop).finished == 4; }));
  shop.reset();
  shop = producer();
  CHECK(shop->queues->info().queues.empty());
}

TEST_CASE_METHOD(Fixture, "what is damaged in the file of a queue is told and costs nothing else") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}}}};
  auto shop = producer();
  for (const char* name : {"1", "2"}) (void)pushed(*shop, name);
  shop.reset();
  {
    auto file = store::open_sqlite(std::string(folder / "shop@alpha") + ".os.db", store::Durability::os);
    REQUIRE(file);
    const store::Store::Change item{"i/worker.resize/01", "no item", false}, letter{"d/01", "no letter", false};
    REQUIRE(file->store->apply(std::vector{item, letter}));
  }
  shop = producer();
  CHECK(info(*shop).restored == 2);
  const auto told = [&](const char* kind) {
    return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find("cannot be read and is left") != line.npos && line.find(kind) != line.npos;
    });
  };
  CHECK(told("\"item\"") == 1);
  CHECK(told("\"dead letter\"") == 1);
}

TEST_CASE_METHOD(Fixture, "an item with a flipped bit in its file is told and never given; the others are") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}}}};
  auto shop = producer();
  for (const char* name : {"first", "second", "third"}) (void)pushed(*shop, name);
  shop.reset();
  flip("second");
  shop = producer();
  auto works = worker(noting("w"));
  REQUIRE(until([&] { return done.size() == 2; }));
  CHECK(names() == std::set<std::string>{"first", "third"});
  CHECK(info(*shop).restored == 2);
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("on disk was damaged") != line.npos && line.find(".damaged-") != line.npos;
        }) == 1);
  CHECK(shop->metrics.render(observe::Metrics::Format::text).find("weft_queue_damaged_total 1") != std::string::npos);
  REQUIRE(until([&] { return info(*shop).finished == 2; }));
}

TEST_CASE_METHOD(Fixture, "a file of a queue that was cut to 0 bytes is reported, counted and kept aside") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}}}};
  auto shop = producer();
  (void)pushed(*shop, "first");
  shop.reset();
  std::filesystem::resize_file(std::string(folder / "shop@alpha") + ".os.db", 0);
  shop = producer();
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("it exists and is empty") != line.npos && line.find(".damaged-") != line.npos;
        }) == 1);
  CHECK(shop->metrics.render(observe::Metrics::Format::text).find("weft_queue_damaged_total 1") != std::string::npos);
  (void)pushed(*shop, "second");
}

TEST_CASE_METHOD(Fixture,
                 "an item that must be kept is refused while the file of the queues is a FIFO, and taken after") {
  rules = Value::Map{{"*", Value::Map{{"durability", "fsync"}}}};
  const std::string file = std::string(folder / "shop@alpha") + ".fsync.db";
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  auto shop = producer();
  const auto refused = push(*shop, "first");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::store_failed));
  CHECK(refused.error().message.find("is not a regular file") != std::string::npos);
  std::filesystem::remove(file);
  loop.advance(1100ms);
  (void)pushed(*shop, "second");
}

TEST_CASE_METHOD(Fixture, "a dead letter with a flipped bit is not shown, and says why") {
  auto works = worker([&](const Item&) -> Task<Result<Payload>> { co_return Error(codes::bad_payload, "no picture"); });
  auto shop = producer();
  auto receipt = pushed(*shop, "payload of the letter");
  CHECK_FALSE(wait(receipt.done()));
  shop.reset();
  flip("payload of the letter");
  shop = producer();
  const auto shown = ask<DeadLetterReply>(*works, "shop._dlq_show", DeadLetterRequest{receipt.id().to_string()});
  REQUIRE_FALSE(shown);
  CHECK(shown.error().message.find("damaged") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "at most once from a damaged file: what may have been under way is a dead letter") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}, {"delivery", "at_most_once"}}}};
  auto works = worker(slow("w", 1h));
  auto shop = producer();
  (void)pushed(*shop, "first");
  REQUIRE(until([&] { return info(*shop).in_flight == 1; }));
  shop.reset();
  flip("given");  // in the note that says so
  shop = producer();
  CHECK(info(*shop).normal == 0);
  CHECK(info(*shop).dead_letters == 1);
}

TEST_CASE_METHOD(Fixture,
                 "at most once on disk: what was under way when its producer ended is a dead letter of the next") {
  rules = Value::Map{{"*", Value::Map{{"durability", "os"}, {"delivery", "at_most_once"}}}};
  auto works = worker(slow("w", 1h));
  auto shop = producer();
  (void)pushed(*shop, "begun");
  (void)pushed(*shop, "waits");
  REQUIRE(until([&] { return info(*shop).in_flight == 1; }));
  shop.reset();
  shop = producer();
  CHECK(info(*shop).dead_letters == 1);
  CHECK(info(*shop).normal == 1);
  const auto listed = ask<DeadLettersReply>(*works, "shop._dlq_list", DeadLettersRequest{});
  REQUIRE(listed);
  REQUIRE(listed->letters.size() == 1);
  CHECK(listed->letters[0].reason.find("under way") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a producer that stops waits for what is in memory, and a worker for what it has begun") {
  auto works = worker(slow("w", 20ms));
  auto shop = producer();
  for (int i = 0; i < 5; ++i) (void)pushed(*shop, std::to_string(i));
  bool drained = false;
  tasks.spawn([](Process& p, bool& out) -> Task<void> {
    co_await p.queues->drain(5s);
    out = true;
  }(*shop, drained));
  REQUIRE(until([&] { return drained; }));
  CHECK(done.size() == 5);
}

TEST_CASE_METHOD(Fixture, "a worker that stops answers offers at once, and its items go to others") {
  auto stops = worker(slow("stops", 20ms), 1, "alpha");
  auto shop = producer();
  for (int i = 0; i < 10; ++i) (void)pushed(*shop, std::to_string(i));
  REQUIRE(until([&] { return info(*shop).in_flight == 1; }));
  bool drained = false;
  tasks.spawn([](Process& p, bool& out) -> Task<void> {
    co_await p.queues->drain(5s);
    out = true;
  }(*stops, drained));
  REQUIRE(until([&] { return drained; }));
  const auto by_stopped = done.size();
  CHECK(by_stopped <= 2);
  auto fine = worker(noting("fine"), 1, "beta");
  REQUIRE(until([&] { return done.size() == 10; }));
  CHECK(names().size() == 10);
  CHECK(info(*shop).dead == 0);
}

TEST_CASE_METHOD(Fixture, "a plain call to a queue is told what it is") {
  auto works = worker(noting("w"));
  auto shop = producer();
  const auto answer = wait(shop->mesh->call("worker.resize", Payload::raw("x")));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::bad_payload));
  CHECK(answer.error().message.find("work queue") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "an item or a mended letter of an unknown encoding is refused") {
  auto works = worker(noting("w"));
  auto shop = producer();
  queue::Work work;
  work.id = id();
  work.producer = "somebody";
  work.encoding = 3;
  const auto item = wait(shop->mesh->call("worker.resize", Payload::of(work)));
  REQUIRE_FALSE(item);
  CHECK(item.error().message.find("encoding") != std::string::npos);
  CHECK(done.empty());
  (void)pushed(*shop, "a");
  ReplayRequest replay;
  replay.encoding = 3;
  CHECK(ask<ReplayReply>(*works, "shop._dlq_replay", replay).error().is(codes::bad_value));
}
