#include "weft/mesh/hedge.hpp"

namespace weft::mesh {
namespace {

/// What the two halves share. Lives in the frame of hedged(), as they do.
struct Race {
  Loop& loop;
  Completion<Result<Payload>>::Completer done;
  int running = 0;
};

Task<void> half(Race& race, Task<Result<Payload>> lap) {
  ++race.running;
  Result<Payload> outcome = co_await lap;
  if (--race.running > 0 && !outcome) co_return;  // the other may do better
  // In a later turn: who waits for it destroys this.
  race.loop.post(
      [done = std::move(race.done), outcome = std::move(outcome)]() mutable { done.complete(std::move(outcome)); });
}

}  // namespace

Task<Result<Payload>> hedged(Loop& loop, Duration after, std::function<Task<Result<Payload>>()> lap,
                             std::function<bool()> may) {
  Completion<Result<Payload>> done;
  Race race{loop, done.completer()};
  TaskScope scope;
  Timer late(loop);
  late.start(after, [&] {
    if (race.running > 0 && may()) scope.spawn(half(race, lap()));
  });
  scope.spawn(half(race, lap()));
  Result<Payload> outcome = co_await done;
  scope.cancel_all();
  co_return outcome;
}

}  // namespace weft::mesh
