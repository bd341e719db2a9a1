#include "weft/replica/owner_table.hpp"

#include "tests/unit/replica/fixture.hpp"

using namespace weft;
using test::Fixture, test::held, test::Contents, test::contents;

TEST_CASE_METHOD(Fixture, "an owner that has nothing tells where it stands, and its snapshot is empty") {
  const auto message = owner.take_untold();
  CHECK(message.changes.empty());
  CHECK(message.after == 0);
  CHECK(message.sequence == 0);
  CHECK(owner.part_after("", now()).entries.empty());
}

TEST_CASE_METHOD(Fixture, "each change has the next number, and messages follow each other without a gap") {
  set("tea", 1);
  set("tea", 2);
  CHECK(owner.erase("tea"));
  CHECK_FALSE(owner.erase("tea"));
  const auto message = owner.take_untold();
  CHECK(message.after == 0);
  CHECK(message.sequence == 3);
  REQUIRE(message.changes.size() == 3);
  CHECK(message.changes[1].value == Value(2));
  CHECK(message.changes[2].erased);
  set("jam", 4);
  CHECK(owner.take_untold().after == 3);
  CHECK(owner.untold_bytes() == 0);
}

TEST_CASE_METHOD(Fixture, "messages and parts of a snapshot are bounded, whatever the number of changes") {
  for (int i = 0; i < 5000; ++i) set("key" + std::to_string(i), i);
  std::size_t count = 0, messages = 0;
  std::uint64_t after = 0;
  for (const auto& message : told()) {
    CHECK(to_msgpack(to_value(message)).size() <= replica::kPartBytes + 1024);
    CHECK(message.after == after);
    after = message.sequence;
    count += message.changes.size();
    ++messages;
  }
  CHECK(count == 5000);
  CHECK(messages > 3);
  std::string last;
  for (count = 0;;) {
    const auto part = owner.part_after(last, now());
    if (part.entries.empty()) break;
    CHECK(to_msgpack(to_value(part)).size() <= replica::kPartBytes + 1024);
    count += part.entries.size();
    last = part.entries.back().key;
  }
  CHECK(count == 5000);
}

TEST_CASE_METHOD(Fixture, "what a limit refuses leaves what was there, and says which limit") {
  ReplicatedLimits few;
  few.entries_max = 2;
  few.bytes_max = 30;
  few.value_bytes_max = 9;
  struct Text {
    static Value encode(const void* value) { return Value(*static_cast<const std::string*>(value)); }
    static replica::Held of(std::size_t size) { return std::make_shared<const std::string>(size, 'x'); }
  };
  replica::OwnerTable small("shop.prices", owner_id, few, Text::encode);
  CHECK(small.set("", Text::of(1), {}, now()).error().is(codes::bad_name));
  CHECK(small.set(std::string(257, 'k'), Text::of(1), {}, now()).error().is(codes::bad_name));
  REQUIRE(small.set("a", Text::of(8), {}, now()));
  const auto large = small.set("a", Text::of(9), {}, now()).error();
  CHECK(large.is(codes::too_large));
  CHECK(large.message == "shop.prices: 'a': 10 bytes, at most 9 are allowed");
  REQUIRE(small.set("b", Text::of(8), {}, now()));
  const auto full = small.set("c", Text::of(1), {}, now()).error();
  CHECK(full.is(codes::table_full));
  CHECK(full.message == "shop.prices: 'c': all 2 entries are taken");
  CHECK(small.set("a", Text::of(7), {}, now()));
  CHECK(small.erase("b"));
  CHECK(small.set(std::string(20, 'c'), Text::of(8), {}, now()).error().is(codes::table_full));
  CHECK(small.set("c", Text::of(8), {}, now()));
  CHECK(small.sequence() == 5);
}

TEST_CASE_METHOD(Fixture, "a time to live ends a value, and setting it again begins another") {
  set("offer", 1, 100ms);
  set("tea", 2);
  set("jam", 3, 50ms);
  (void)owner.take_untold();
  clock.advance(50ms - 1ns);
  owner.expire(now());
  CHECK(owner.untold() == 0);
  clock.advance(1ns);
  owner.expire(now());
  const auto message = owner.take_untold();
  REQUIRE(message.changes.size() == 1);
  CHECK(message.changes[0].key == "jam");
  CHECK(message.changes[0].erased);
  set("offer", 4, 1s);
  set("tea", 5, Duration::max());
  clock.advance(999ms);
  owner.expire(now());
  CHECK(contents(owner.table()) == Contents{{"offer", 4}, {"tea", 5}});
  clock.advance(1ms);
  owner.expire(now());
  CHECK(contents(owner.table()) == Contents{{"tea", 5}});
}
