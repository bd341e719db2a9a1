#include "weft/replica/replica_table.hpp"

#include "tests/unit/replica/fixture.hpp"

using namespace weft;
using test::Fixture, test::Copy, test::Contents, test::contents, test::held;
using Told = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "a late joiner has what an early joiner has") {
  Copy early, late;
  tell(early);
  REQUIRE(early.table.wants_snapshot());
  REQUIRE(snapshot(early));
  CHECK(early.table.synced(now()));
  set("tea", 1);
  set("jam", 2);
  set("tea", 3);
  owner.erase("jam");
  set("egg", 4, 1s);
  tell(early);
  CHECK(early.told == Told{"tea=1", "jam=2", "tea=3", "jam gone", "egg=4"});
  tell(late);
  REQUIRE(snapshot(late));
  CHECK(late.told == Told{"egg=4", "tea=3"});
  CHECK(contents(late.table.table()) == Contents{{"egg", 4}, {"tea", 3}});
  CHECK(contents(early.table.table()) == contents(late.table.table()));
}

TEST_CASE_METHOD(Fixture, "nothing is taken before the owner was heard, and one that nobody hears is not synced") {
  Copy copy;
  CHECK_FALSE(copy.table.wants_snapshot());
  CHECK(copy.table.silent(now()));
  tell(copy);
  REQUIRE(snapshot(copy));
  CHECK(copy.table.synced(now()));
  clock.advance(replica::kSilence);
  CHECK(copy.table.synced(now()));
  clock.advance(1ns);
  CHECK_FALSE(copy.table.synced(now()));
  tell(copy);
  CHECK(copy.table.synced(now()));
  CHECK(copy.table.counts().snapshots == 1);
}

TEST_CASE_METHOD(Fixture, "a lost message is noticed by the next one, counted, and mended by a snapshot") {
  Copy copy;
  tell(copy);
  REQUIRE(snapshot(copy));
  set("tea", 1);
  tell(copy);
  copy.told.clear();
  set("jam", 2);
  owner.erase("tea");
  (void)told();  // lost
  CHECK(copy.table.synced(now()));
  tell(copy);  // without changes: where it stands
  CHECK_FALSE(copy.table.synced(now()));
  CHECK(copy.table.counts().gaps == 1);
  CHECK(copy.table.behind() == 2);
  CHECK(contents(copy.table.table()) == Contents{{"tea", 1}});  // what it had
  REQUIRE(snapshot(copy));
  CHECK(copy.table.synced(now()));
  CHECK(copy.table.behind() == 0);
  CHECK(copy.told == Told{"tea gone", "jam=2"});
  CHECK(copy.table.counts().snapshots == 2);
}

TEST_CASE_METHOD(Fixture, "what changes while a snapshot is taken is neither lost nor undone") {
  Copy copy;
  set("b", 1);
  set("d", 2);
  set("f", 3);
  tell(copy);
  const auto attempt = copy.table.begin();
  const auto old = owner.part_after("", now());  // on its way while all of it changes
  owner.erase("b");
  set("d", 4);
  set("a", 5);
  set("f", 6);
  owner.erase("f");
  auto messages = told();
  REQUIRE(messages.size() == 1);
  const auto end = owner.end();
  SECTION("heard before the snapshot") {
    copy.table.hear(messages[0], now());
    REQUIRE(copy.table.take(attempt, old, now()));
    REQUIRE(copy.table.finish(attempt, end, now()));
  }
  SECTION("heard after the snapshot: it is not whole until then") {
    REQUIRE(copy.table.take(attempt, old, now()));
    REQUIRE(copy.table.finish(attempt, end, now()));
    CHECK_FALSE(copy.table.synced(now()));
    CHECK(copy.table.table().size() == 0);
    copy.table.hear(messages[0], now());
  }
  CHECK(copy.table.synced(now()));
  CHECK(contents(copy.table.table()) == Contents{{"a", 5}, {"d", 4}});
  CHECK(copy.told == Told{"a=5", "d=4"});
}

TEST_CASE_METHOD(Fixture, "a gap while a snapshot is taken makes it void") {
  Copy copy;
  set("a", 1);
  tell(copy);
  const auto attempt = copy.table.begin();
  const auto part = owner.part_after("", now());
  set("b", 2);
  (void)told();
  tell(copy);
  CHECK(copy.table.counts().gaps == 1);
  CHECK(copy.table.take(attempt, part, now()).error().is(codes::peer_gone));
  copy.table.give_up(attempt);
  CHECK(copy.table.wants_snapshot());
  REQUIRE(snapshot(copy));
  CHECK(contents(copy.table.table()) == Contents{{"a", 1}, {"b", 2}});
}

TEST_CASE_METHOD(Fixture, "messages that come twice change nothing") {
  Copy copy;
  tell(copy);
  REQUIRE(snapshot(copy));
  set("a", 1);
  owner.erase("a");
  for (const auto& message : told())
    for (int i = 0; i < 2; ++i) copy.table.hear(message, now());
  CHECK(copy.told == Told{"a=1", "a gone"});
  CHECK(copy.table.synced(now()));
}

TEST_CASE_METHOD(Fixture, "a value disappears when its time is over, whether its owner lives or not") {
  Copy copy, late;
  tell(copy);
  REQUIRE(snapshot(copy));
  set("offer", 1, 1s);
  set("tea", 2);
  tell(copy);
  clock.advance(400ms);
  tell(late);
  REQUIRE(snapshot(late));
  clock.advance(600ms - 1us);
  for (Copy* one : {&copy, &late}) {
    one->table.expire(now());
    CHECK(one->table.table().size() == 2);
  }
  clock.advance(1us);
  for (Copy* one : {&copy, &late}) {
    one->table.expire(now());
    CHECK(contents(one->table.table()) == Contents{{"tea", 2}});
    CHECK(one->told.back() == "offer gone");
  }
  const auto before = copy.told.size();
  owner.expire(now());
  tell(copy);  // what it says is known
  CHECK(copy.told.size() == before);
  CHECK(copy.table.synced(now()));
}

TEST_CASE_METHOD(Fixture, "another instance of the owner is followed at once, and what only the former had goes") {
  Copy copy;
  tell(copy);
  REQUIRE(snapshot(copy));
  set("tea", 1);
  set("jam", 2);
  tell(copy);
  copy.told.clear();
  restart();
  set("tea", 3);
  tell(copy);
  CHECK_FALSE(copy.table.synced(now()));
  CHECK(copy.table.table().size() == 2);
  REQUIRE(copy.table.wants_snapshot());
  REQUIRE(snapshot(copy));
  CHECK(contents(copy.table.table()) == Contents{{"tea", 3}});
  CHECK(copy.told == Told{"jam gone", "tea=3"});
  CHECK(copy.table.counts().restarts == 1);
  CHECK(copy.table.counts().gaps == 0);
}

TEST_CASE_METHOD(Fixture, "an older instance is ignored while a newer one is heard, and followed when nobody else is") {
  Copy copy;
  const auto former = owner.take_untold();
  restart();
  tell(copy);
  REQUIRE(snapshot(copy));
  copy.table.hear(former, now());
  CHECK(copy.table.synced(now()));
  CHECK(copy.table.counts().strangers == 1);
  clock.advance(replica::kSilence + 1ns);
  copy.table.hear(former, now());
  CHECK(copy.table.owner() == former.owner);
  CHECK(copy.table.wants_snapshot());
}

TEST_CASE_METHOD(Fixture, "more entries than it may hold are never a whole copy, and the error says so") {
  Copy copy(2);
  for (const char* key : {"a", "b"}) set(key, 1);
  tell(copy);
  REQUIRE(snapshot(copy));
  set("c", 1);
  tell(copy);
  CHECK_FALSE(copy.table.synced(now()));
  const auto refused = snapshot(copy);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::table_full));
  CHECK(refused.error().message == "a replica holds at most 2 entries");
}

TEST_CASE_METHOD(Fixture, "a value of another type is left out and counted") {
  Copy copy;
  tell(copy);
  REQUIRE(snapshot(copy));
  set("a", 1);
  tell(copy);
  replica::Changes odd{owner_id, 1, 2, {{"a", Value("one"), false, 2, 0}}};
  copy.table.hear(odd, now());
  CHECK(copy.table.counts().undecodable == 1);
  CHECK(copy.told == Told{"a=1", "a gone"});
  CHECK(copy.table.synced(now()));
}
