#include "weft/queue/journal.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

/// In memory, counting, and failing when told.
struct FakeStore final : store::Store {
  explicit FakeStore(FakeStore** self) { *self = this; }
  Result<std::vector<Entry>> list(std::string_view prefix) override { return memory->list(prefix); }
  Result<void> apply(const std::vector<Change>& changes) override {
    ++batches;
    if (full) return Error(codes::disk_full, "the disk is full");
    return memory->apply(changes);
  }
  std::unique_ptr<store::Store> memory = store::open_memory();
  int batches = 0;
  bool full = false;
};

struct Fixture {
  test::ManualLoop loop;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  FakeStore* store = nullptr;
  Journal journal{loop, log, std::make_unique<FakeStore>(&store)};
  TaskScope tasks;
  std::vector<Result<void>> written;

  void wait() {
    tasks.spawn([](Fixture& f) -> Task<void> {
      auto outcome = co_await f.journal.written();
      f.written.push_back(std::move(outcome));
    }(*this));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "what one turn changes is one transaction, and nobody is told before it is written") {
  for (int i = 0; i < 100; ++i) {
    journal.put("i/" + std::to_string(i), "x");
    wait();
  }
  CHECK(store->batches == 0);
  CHECK(written.empty());
  loop.turn();
  CHECK(store->batches == 1);
  CHECK(written.size() == 100);
  CHECK(written.back());
  CHECK(journal.list("i/")->size() == 100);
}

TEST_CASE_METHOD(Fixture, "a full disk is told to who waits, and what was to be written is tried again") {
  store->full = true;
  journal.put("i/1", "x");
  wait();
  loop.turn();
  REQUIRE(written.size() == 1);
  REQUIRE_FALSE(written[0]);
  CHECK(written[0].error().is(codes::disk_full));
  journal.erase("i/1");  // its pusher was refused
  journal.erase("i/0");
  store->full = false;
  loop.advance(1s);
  CHECK(journal.list("i/")->empty());
}

TEST_CASE_METHOD(Fixture, "the last change of a key counts") {
  journal.put("a", "1");
  journal.put("a", "2");
  journal.put("b", "1");
  journal.erase("b");
  const auto entries = journal.list("");
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().value == "2");
}

TEST_CASE("a journal is a file of its durability, and is there again for the next process", "[files]") {
  test::TempDir folder;
  test::ManualLoop loop;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  {
    Journals journals(loop, log, folder / "queues/a");
    CHECK(*journals.left(Durability::os) == nullptr);
    auto os = journals.of(Durability::os);
    REQUIRE(os);
    CHECK(*journals.of(Durability::none) == *os);  // dead letters of queues in memory
    (*os)->put("x", "1");
  }
  Journals journals(loop, log, folder / "queues/a");
  CHECK(*journals.left(Durability::fsync) == nullptr);
  auto left = journals.left(Durability::os);
  REQUIRE(left);
  CHECK((*left)->list("x")->size() == 1);
}

TEST_CASE("a file that another process holds is told, and tried again a second later", "[files]") {
  test::TempDir folder;
  test::ManualLoop loop;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  Journals mine(loop, log, folder / "a");
  {
    Journals theirs(loop, log, folder / "a");
    REQUIRE(theirs.of(Durability::os));
    CHECK(mine.of(Durability::os).error().is(codes::store_failed));
  }
  CHECK_FALSE(mine.of(Durability::os));
  loop.advance(1s);
  CHECK(mine.of(Durability::os));
}

TEST_CASE("a file that cannot be opened is reported once, until it could be opened") {
  test::ManualLoop loop;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  test::TempDir dir;
  const std::string file = dir / "shop@alpha.os.db";
  std::filesystem::create_directory(file);
  Journals journals{loop, log, dir / "shop@alpha"};
  std::vector<Error> reported;
  journals.on_failure = [&](const Error& why) { reported.push_back(why); };
  for (int i = 0; i < 3; ++i, loop.advance(1100ms)) CHECK(journals.of(Durability::os).error().is(codes::store_failed));
  CHECK(reported.size() == 1);
  std::filesystem::remove(file);
  CHECK(journals.of(Durability::os));
}
