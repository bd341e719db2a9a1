#include "agents/probe/gate.hpp"

#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"
#include "weft/actor_test.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
struct Work {
  Duration time;
};
struct Fail {
  Duration after;
};

/// Who wants a permit, keeps it for a time, and tells when it had it.
class Worker {
 public:
  using Messages = actor::Handles<Work, Fail>;
  Worker(actor::Ref<Gate> gate, std::string name, std::string& log) : gate_(gate), name_(std::move(name)), log_(log) {}

  Task<void> on(Work work, actor::Context& context) {
    auto permit = co_await context.request(gate_, Gate::Acquire(), Duration());
    if (!permit) throw std::runtime_error(permit.error().message);
    log_ += name_;
    co_await context.sleep(work.time);
    log_ += '.';
  }
  Task<void> on(Fail fail, actor::Context& context) {
    auto permit = co_await context.request(gate_, Gate::Acquire(), Duration());
    log_ += name_;
    co_await context.sleep(fail.after);
    throw std::runtime_error("as wanted");
  }

 private:
  actor::Ref<Gate> gate_;
  std::string name_;
  std::string& log_;
};

struct Room {
  explicit Room(std::size_t permits) : gate(system.spawn<Gate>(permits).value()) {}
  actor::Ref<Worker> worker(const std::string& name) { return system.spawn<Worker>(gate, name, log).value(); }
  /// One more who wants a permit, and gets it at once if there is one.
  actor::Ref<Worker> work(const std::string& name, Duration time = 1s) {
    const auto made = worker(name);
    CHECK(system.send(made, Work{time}));
    system.run_until_idle();
    return made;
  }
  std::string log;  // names of those who got in, '.' for each who was done
  actor::TestSystem system{1};
  actor::Ref<Gate> gate;
};
}  // namespace

TEST_CASE("a gate lets in as many as it has permits, and the others in the order in which they came") {
  Room room(2);
  for (const auto* name : {"a", "b", "c", "d", "e"}) room.work(name);
  CHECK(room.log == "ab");
  room.system.advance(1s);
  CHECK(room.log == "ab.c.d");
  room.system.advance(1s);
  CHECK(room.log == "ab.c.d.e.");
}

TEST_CASE("a permit comes back when its holder fails") {
  Room room(1);
  CHECK(room.system.send(room.worker("a"), Fail{1s}));
  room.system.run_until_idle();
  room.work("b");
  CHECK(room.log == "a");
  room.system.advance(1s);
  CHECK(room.log == "ab");
}

TEST_CASE("a permit comes back when its holder is stopped") {
  Room room(1);
  const auto holder = room.work("a", 1h);
  room.work("b");
  room.system.stop(holder);
  room.system.run_until_idle();
  CHECK(room.log == "ab");
}

TEST_CASE("a permit on its way to somebody who was stopped goes to the next") {
  Room room(1);
  room.work("a");
  const auto waiting = room.work("b");
  room.work("c");
  room.system.stop(waiting);
  room.system.advance(1s);
  CHECK(room.log == "a.c");
}

TEST_CASE("no permit is lost, and none too many given, however its takers end") {
  Room room(3);
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    const auto worker = room.worker("x");
    const bool fails = random.below(2) == 0;
    CHECK((fails ? room.system.send(worker, Fail{1s}) : room.system.send(worker, Work{1s})));
    if (random.below(3) == 0) room.system.stop(worker);
    if (random.below(2) == 0) room.system.step();
    if (random.below(4) == 0) room.system.advance(300ms);
  }
  room.system.advance(1h);
  room.log.clear();
  for (const auto* name : {"a", "b", "c", "d"}) room.work(name);
  CHECK(room.log == "abc");
}
