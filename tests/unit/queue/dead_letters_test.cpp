#include "weft/queue/dead_letters.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

struct Fixture {
  test::ManualLoop loop;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  Journal journal{loop, log, store::open_memory()};
  DeadLetters letters;
  Rules rules;
  Random random{7};
  std::int64_t time = 0;

  std::string add(const std::string& queue, const std::string& payload) {
    DeadLetter letter;
    letter.id = Ulid::make(loop.clock().wall(), random);
    letter.queue = queue;
    letter.died_us = ++time;
    letter.code = "WEFT-2008";
    letter.bytes = payload.size();
    letter.attempts.push_back({1, "i", "alpha", 1, 2, "WEFT-2008", "threw"});
    dropped += letters.add(journal, letter, wire::Payload::raw(payload), rules);
    return letter.id.to_string();
  }
  std::size_t dropped = 0;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a dead letter is found with all that was known of it, also by the next process") {
  const auto id = add("worker.resize", "hello");
  CHECK(letters.payload(id)->text() == "hello");
  DeadLetters next;
  REQUIRE(next.load(journal, [](std::string_view, const Error&) { FAIL("all of it can be read"); }));
  REQUIRE(next.find(id));
  CHECK(next.find(id)->queue == "worker.resize");
  CHECK(next.find(id)->attempts.at(0).text == "threw");
  CHECK(next.payload(id)->text() == "hello");
  CHECK(next.oldest_us("worker.resize") == 1);
}

TEST_CASE_METHOD(Fixture, "what was removed is gone, and unknown ids are told") {
  const auto id = add("q.a", "x");
  CHECK(letters.remove(id));
  CHECK_FALSE(letters.remove(id));
  CHECK_FALSE(letters.find(id));
  CHECK(letters.payload(id).error().is(codes::bad_value));
  CHECK(letters.count("q.a") == 0);
  CHECK(letters.queues().empty());
  CHECK(journal.list("")->empty());
}

TEST_CASE_METHOD(Fixture, "the newest are first, of one queue or of all") {
  const auto a = add("q.a", "1");
  const auto b = add("q.b", "2");
  const auto c = add("q.a", "3");
  const auto all = letters.newest_first("");
  REQUIRE(all.size() == 3);
  CHECK(all[0]->id.to_string() == c);
  CHECK(all[1]->id.to_string() == b);
  CHECK(letters.newest_first("q.a").size() == 2);
  CHECK(letters.newest_first("q.a")[1]->id.to_string() == a);
}

TEST_CASE_METHOD(Fixture, "beyond the limit the oldest of its queue go, and are counted") {
  rules.dead_letters_max = 2;
  const auto other = add("q.b", "x");
  const auto first = add("q.a", "1");
  (void)add("q.a", "2");
  (void)add("q.a", "3");
  CHECK(dropped == 1);
  CHECK_FALSE(letters.find(first));
  CHECK(letters.find(other));
  rules = {};
  rules.bytes_max = 10;
  (void)add("q.a", std::string(9, 'x'));
  CHECK(dropped == 2);  // "2" went: the last two hold 10 bytes
  CHECK(letters.count("q.a") == 2);
}
