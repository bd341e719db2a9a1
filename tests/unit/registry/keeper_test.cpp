// The book in a store: restart, a store that fails and comes back.
#include "registry/keeper.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Book;
using registry::Keeper;

namespace {

/// Borrows a store, and fails when told.
class Flaky final : public store::Store {
 public:
  Flaky(store::Store& inner, const bool& broken) : inner_(inner), broken_(broken) {}
  Result<std::vector<Entry>> list(std::string_view prefix) override {
    if (broken_) return Error(codes::store_failed, "broken");
    return inner_.list(prefix);
  }
  Result<void> apply(const std::vector<Change>& changes) override {
    if (broken_) return Error(codes::disk_full, "full");
    return inner_.apply(changes);
  }

 private:
  store::Store& inner_;
  const bool& broken_;
};

struct Fixture {
  ManualClock clock;
  std::unique_ptr<store::Store> disk = store::open_memory();
  bool broken = false;
  Book book{clock, table_options(), id_of(1001)};
  std::string boot = "first";
  Keeper keeper = new_keeper();

  Keeper new_keeper() {
    const auto open = [this]() -> Result<store::Opened> {
      if (broken) return Error(codes::store_failed, "away");
      return store::Opened{std::make_unique<Flaky>(*disk, broken), ""};
    };
    return Keeper(open, boot);
  }
  Result<void> save() { return keeper.save(book, book.flush().kept); }
  /// What a registry that starts now would know.
  std::unique_ptr<Book> restarted() {
    auto again = std::make_unique<Book>(clock, table_options(), id_of(1002));
    REQUIRE(new_keeper().load(*again));
    (void)again->flush();
    return again;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty store loads as an empty book") {
  CHECK(keeper.load(book)->records == 0);
  CHECK(keeper.behind());
  CHECK(save());
  CHECK_FALSE(keeper.behind());
}

TEST_CASE_METHOD(Fixture, "what was saved is known after a restart, unconfirmed, with an epoch that only grows") {
  REQUIRE(keeper.load(book));
  for (std::uint64_t n = 0; n < 50; ++n) REQUIRE(book.enter(record_of(1)));
  REQUIRE(book.enter(record_of(2, "digest")));
  REQUIRE(save());
  const auto last = book.enter(record_of(3, "probe")).value().epoch;
  REQUIRE(save());
  CHECK(book.leave({"", "probe@alpha", ""}));
  REQUIRE(save());
  const auto again = restarted();
  CHECK(again->table().size() == 2);
  CHECK(again->table().unconfirmed() == 2);
  CHECK(again->enter(record_of(4, "late")).value().epoch > last);
}

TEST_CASE_METHOD(Fixture, "records of peers are known after a restart too") {
  Book beta(clock, table_options("beta"), id_of(7));
  REQUIRE(beta.enter(record_of(5, "echo", "beta")));
  (void)beta.flush();
  REQUIRE(keeper.load(book));
  REQUIRE(book.replace(beta.own_snapshot()));
  REQUIRE(save());
  const auto again = restarted();
  REQUIRE(again->view().find(id_of(5)) != nullptr);
  CHECK_FALSE(again->view().find(id_of(5))->confirmed);
}

TEST_CASE_METHOD(Fixture, "after the machine started anew nobody of this host is taken for alive, all others are") {
  Book beta(clock, table_options("beta"), id_of(7));
  REQUIRE(beta.enter(record_of(5, "echo", "beta")));
  (void)beta.flush();
  REQUIRE(keeper.load(book));
  REQUIRE(book.replace(beta.own_snapshot()));
  const auto last = book.enter(record_of(1)).value().epoch;
  REQUIRE(book.enter(record_of(2, "guest", "gamma")));  // of another host, registered here
  REQUIRE(save());
  boot = "second";
  const auto again = restarted();
  CHECK(again->view().find(id_of(1)) == nullptr);
  CHECK(again->view().find(id_of(2)) != nullptr);
  CHECK(again->view().find(id_of(5)) != nullptr);
  CHECK(again->enter(record_of(3)).value().epoch > last);
  boot.clear();
  CHECK(restarted()->view().find(id_of(1)) != nullptr);  // not known which start this is
}

TEST_CASE_METHOD(Fixture, "what a full disk refused is made up for as a whole") {
  REQUIRE(keeper.load(book));
  REQUIRE(book.enter(record_of(1)));
  REQUIRE(book.enter(record_of(2, "digest")));
  REQUIRE(save());
  broken = true;
  REQUIRE(book.enter(record_of(3, "probe")));
  CHECK(book.leave({"", "echo@alpha", ""}));
  CHECK(save().error().is(codes::disk_full));
  CHECK(keeper.behind());
  CHECK_FALSE(save());
  broken = false;
  CHECK(save());
  CHECK_FALSE(keeper.behind());
  const auto again = restarted();
  CHECK(again->table().holder("echo@alpha") == nullptr);
  CHECK(again->table().holder("digest@alpha") != nullptr);
  CHECK(again->table().holder("probe@alpha") != nullptr);
}

TEST_CASE_METHOD(Fixture, "a store that cannot be opened at the start is opened later") {
  broken = true;
  CHECK_FALSE(keeper.load(book));
  REQUIRE(book.enter(record_of(1)));
  CHECK_FALSE(save());
  broken = false;
  CHECK(save());
  CHECK(restarted()->table().size() == 1);
}

TEST_CASE_METHOD(Fixture, "unreadable entries and those of another mesh are left out, and removed by the next save") {
  auto other = record_of(9);
  other.mesh = "other";
  other.registry = "alpha";
  const auto bytes = to_msgpack(to_value(other));
  REQUIRE(
      disk->apply({{"record/alpha/x", "garbage"}, {"record/alpha/y", std::string(as_text(bytes))}, {"epoch", "x"}}));
  const auto loaded = keeper.load(book).value();
  CHECK(loaded.unreadable == 1);
  CHECK(book.table().size() == 0);
  REQUIRE(save());
  CHECK(disk->list("record/").value().empty());
}
