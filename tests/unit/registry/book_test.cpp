// The book: table, replicas, view and feeds together, on one clock.
#include "registry/book.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Book;

namespace {

struct Fixture {
  ManualClock clock;
  Book alpha{clock, table_options("alpha"), id_of(1001)};
  Book beta{clock, table_options("beta"), id_of(1002)};

  /// Own records of one book to the other, by snapshot.
  static void sync(Book& from, Book& to) {
    (void)from.flush();
    REQUIRE(to.replace(from.own_snapshot()));
  }
  /// Moves time in steps that no book takes for a sleep.
  void advance(
      Duration by, const std::function<void()>& each = [] {}) {
    for (; by > Duration::zero(); by -= 100ms) {
      clock.advance(std::min(by, Duration(100ms)));
      each();
      alpha.tick();
      beta.tick();
    }
  }
};

std::size_t seen_by(const Book& book) { return book.snapshot().records.size(); }

}  // namespace

TEST_CASE_METHOD(Fixture, "what registers here is seen there, first by snapshot, then by deltas") {
  REQUIRE(alpha.enter(record_of(1)));
  sync(alpha, beta);
  CHECK(seen_by(beta) == 1);
  REQUIRE(alpha.enter(record_of(2, "digest")));
  for (const auto& changes : alpha.flush().own) CHECK(beta.apply(changes) == Book::Followed::yes);
  CHECK(seen_by(beta) == 2);
  const auto out = beta.flush();
  CHECK(out.own.empty());
  REQUIRE(out.all.size() == 1);
  CHECK(out.all[0].upserts.size() == 2);
}

TEST_CASE_METHOD(Fixture, "any delta that is lost is noticed at the next one") {
  sync(alpha, beta);
  REQUIRE(alpha.enter(record_of(1)));
  (void)alpha.flush();
  REQUIRE(alpha.enter(record_of(2, "digest")));
  CHECK(beta.apply(alpha.flush().own.at(0)) == Book::Followed::gap);
  CHECK(seen_by(beta) == 0);
  sync(alpha, beta);
  CHECK(seen_by(beta) == 2);
}

TEST_CASE_METHOD(Fixture, "changes of a term that nobody asked for are unknown") {
  REQUIRE(alpha.enter(record_of(1)));
  CHECK(beta.apply(alpha.flush().own.at(0)) == Book::Followed::unknown);
  CHECK(beta.apply({}) == Book::Followed::unknown);
}

TEST_CASE_METHOD(Fixture,
                 "a peer that is silent for one lease takes its records with it, and a snapshot brings them back") {
  const auto epoch = alpha.enter(record_of(1)).value().epoch;
  sync(alpha, beta);
  (void)beta.flush();
  auto renew = [&] { CHECK(alpha.renew({id_of(1), epoch, {}, ""})); };
  advance(2900ms, renew);
  CHECK(seen_by(beta) == 1);
  advance(100ms, renew);
  CHECK(seen_by(beta) == 0);
  CHECK(beta.replica("alpha") == nullptr);
  CHECK(beta.flush().all.at(0).removals.at(0).reason == "registry of alpha unreachable");
  sync(alpha, beta);
  CHECK(seen_by(beta) == 1);
}

TEST_CASE_METHOD(Fixture, "a peer that is heard keeps its records") {
  const auto epoch = alpha.enter(record_of(1)).value().epoch;
  sync(alpha, beta);
  advance(10s, [&] {
    CHECK(alpha.renew({id_of(1), epoch, {}, ""}));
    beta.heard("alpha");
    beta.heard("nobody");
  });
  CHECK(seen_by(beta) == 1);
}

TEST_CASE_METHOD(Fixture, "when this process slept, neither its agents nor its peers pay for it") {
  REQUIRE(alpha.enter(record_of(1)));
  REQUIRE(beta.enter(record_of(2, "echo", "beta")));
  sync(beta, alpha);
  (void)alpha.flush();
  clock.advance(60s);
  alpha.tick();
  (void)alpha.flush();
  CHECK(seen_by(alpha) == 2);
  CHECK(alpha.leases_expired() == 0);
  advance(3s);
  (void)alpha.flush();
  CHECK(seen_by(alpha) == 0);
  CHECK(alpha.leases_expired() == 1);
}

TEST_CASE_METHOD(Fixture, "the next due time is never later than what counts as sleep") {
  CHECK(alpha.next_due() <= clock.now() + 1500ms);
  REQUIRE(alpha.enter(record_of(1)));
  clock.advance(700ms);
  alpha.tick();
  for (int i = 0; i < 100 && alpha.leases_expired() == 0; ++i) {
    CHECK(alpha.next_due() >= clock.now());
    clock.advance(alpha.next_due() - clock.now());
    alpha.tick();
  }
  CHECK(alpha.leases_expired() == 1);
}

TEST_CASE_METHOD(Fixture, "an agent that moved to the other registry is there once, on both sides") {
  REQUIRE(alpha.enter(record_of(1)));
  sync(alpha, beta);
  clock.advance(1s);
  REQUIRE(beta.enter(record_of(1)));
  sync(beta, alpha);
  sync(alpha, beta);
  for (Book* book : {&alpha, &beta}) {
    (void)book->flush();
    REQUIRE(seen_by(*book) == 1);
    CHECK(book->snapshot().records[0].registry == "beta");
  }
  CHECK(alpha.table().size() == 0);
}

TEST_CASE_METHOD(Fixture, "an older instance is refused by every registry that knows of the newer one") {
  REQUIRE(alpha.enter(record_of(2)));
  sync(alpha, beta);
  CHECK(beta.enter(record_of(1)).error().is(codes::fenced));
  REQUIRE(beta.enter(record_of(3)));
  sync(beta, alpha);
  CHECK(alpha.table().size() == 0);
}

TEST_CASE_METHOD(Fixture, "a peer of another mesh, with our own name or with a bad name is refused") {
  auto snapshot = alpha.own_snapshot();
  snapshot.mesh = "other";
  CHECK(beta.replace(snapshot).error().is(codes::wrong_mesh));
  CHECK(alpha.replace(alpha.own_snapshot()).error().is(codes::bad_value));
  snapshot = alpha.own_snapshot();
  snapshot.registry = "";
  CHECK(beta.replace(snapshot).error().is(codes::bad_name));
}

TEST_CASE_METHOD(Fixture, "a registry that starts anew knows its own agents and those of its peers, for one lease") {
  auto own = record_of(1), foreign = record_of(2, "echo", "beta");
  own.registry = "alpha";
  foreign.registry = "beta";
  foreign.epoch = 2'500'000'000;
  alpha.restore(own);
  alpha.restore(foreign);
  foreign.registry = "no good name";
  alpha.restore(foreign);
  CHECK(alpha.table().unconfirmed() == 1);
  (void)alpha.flush();
  CHECK(seen_by(alpha) == 2);
  CHECK(alpha.enter(record_of(3, "digest")).value().epoch == 2'500'000'001);
  advance(3s);
  CHECK(alpha.view().holder("echo@beta") == nullptr);
}

TEST_CASE_METHOD(Fixture, "the reply to a registration says the lease and who wrote it") {
  const auto reply = alpha.enter(record_of(1)).value();
  CHECK(reply.lease_us == 3'000'000);
  CHECK(reply.registry == "alpha");
  (void)alpha.flush();
  const auto renewed = alpha.renew({id_of(1), reply.epoch, {}, ""}).value();
  CHECK(renewed.term == id_of(1001));
  CHECK(renewed.sequence == 1);
}

TEST_CASE_METHOD(Fixture, "what changed is also what is to be kept, by who writes it") {
  REQUIRE(beta.enter(record_of(2, "echo", "beta")));
  sync(beta, alpha);
  REQUIRE(alpha.enter(record_of(1)));
  const auto kept = alpha.flush().kept;
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].registry == "beta");
  CHECK(kept[1].registry == "alpha");
  CHECK(alpha.kept().size() == 2);
  CHECK(alpha.flush().empty());
  CHECK_FALSE(alpha.changed());
}
