// What a supervisor's actor and its children say to each other.
#include <algorithm>

#include "weft/actor/runtime/supervisor.hpp"

namespace weft::actor {

const ChildOptions& Runtime::adopt(Cell& cell, const Address& supervisor) {
  link(*Cell::of(supervisor), cell);
  return cell.side->spec->options;
}

void Runtime::start_child(const Address& child, std::uint64_t incarnation, std::uint32_t restarts) {
  control(child, [this, incarnation, restarts](Cell* starting) {
    if (!starting) return;
    starting->side->restarts = restarts;
    starting->restarts.store(static_cast<std::uint8_t>(std::min(restarts, 255U)), std::memory_order_relaxed);
    if (starting->is(Cell::kBuilt)) {  // it was given up, and has not ended yet: finish_stop() starts it
      starting->side->next_incarnation = incarnation;
      return;
    }
    starting->side->incarnation = incarnation;
    start_now(*starting);
  });
}

void Runtime::tell_supervisor_started(Cell& cell) noexcept {
  const Side& own = *cell.side;
  auto* envelope =
      Envelope::make<ChildStarted>(Envelope::Kind::message, ChildStarted{cell.address().id(), own.incarnation});
  force(own.supervisor, envelope);
}

void Runtime::tell_supervisor_ended(Cell& cell) {
  const Side& own = *cell.side;
  auto* envelope = Envelope::make<ChildEnded>(
      Envelope::Kind::message, ChildEnded{cell.address().id(), own.incarnation, own.end_reason, own.end_what});
  force(own.supervisor, envelope);
}

void Runtime::ask_supervisor_to_remove(Cell& cell) {
  force(cell.side->supervisor, Envelope::make<RemoveChild>(Envelope::Kind::message, RemoveChild{cell.address().id()}));
}

void Runtime::abandon(const Address& child) {
  control(child, [this, child](Cell* stopping) {
    if (stopping) {
      stop_for_parent(*stopping);
    } else {
      forget_closed(child);
    }
  });
}

void Runtime::end_child(const Address& child, bool run_post_stop) {
  control(child, [this, run_post_stop](Cell* stopping) {
    if (!stopping) return;
    if (stopping->side->next_incarnation != 0) {  // it was not to start before it had ended
      stopping->side->incarnation = std::exchange(stopping->side->next_incarnation, 0);
      return tell_supervisor_ended(*stopping);
    }
    stopping->side->skip_post_stop = !run_post_stop;
    begin_stop(*stopping, Reason::shutdown, {});
  });
}

void Runtime::close_child(const Address& child, State as) {
  control(child, [this, as](Cell* closing) {
    if (!closing) return;
    if (!closing->is(Cell::kBuilt)) return end(*closing, as);
    closing->side->close_wanted = true;  // it was given up, and has not ended yet
  });
}

}  // namespace weft::actor
