// Turns: what a ready actor does when a scheduler runs it.
#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {
namespace {

constexpr unsigned kTurnSends = 100;  // messages sent in one turn, as they are work for others
constexpr unsigned kLook = 16;        // messages between two looks for news while there is work
constexpr unsigned kFairness = 16;    // one message in so many comes from a lower priority that waits

/// Rings: `last` is the newest, last->next the oldest.
void put_last(Envelope*& last, Envelope* envelope) noexcept {
  if (last) {
    envelope->next = last->next;
    last->next = envelope;
  } else {
    envelope->next = envelope;
  }
  last = envelope;
}

/// Messages from newest to oldest become a chain from oldest to newest.
struct Chain {
  Envelope* first = nullptr;
  Envelope* last = nullptr;
  void put_first(Envelope* envelope) noexcept {
    envelope->next = first;
    if (!first) last = envelope;
    first = envelope;
  }
  void append_to(Envelope*& ring) const noexcept {
    if (!first) return;
    last->next = ring ? ring->next : first;
    if (ring) ring->next = first;
    ring = last;
  }
};

void count_handled(Cell& cell) noexcept {
  cell.handled.store(cell.handled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace

void Runtime::run(Cell& cell, Local& local, unsigned messages, Duration longer) {
  local.current = &cell;
  TimePoint end{};
  const std::uint64_t sent_before = local.counters.value(Counters::sent);
  for (unsigned done = 0;; ++done) {
    // Each load of `inbox` takes its cache line from a concurrent sender: with work at hand, load it only now and then.
    const bool look = !cell.last || done % kLook == 0;
    if (look && cell.inbox.load(std::memory_order_relaxed) != Cell::kEmpty) take_mail(cell, local);
    if (!local.current) return;  // it ended, and its memory may be another's
    if (can_handle(cell)) {
      const bool sent_enough = local.counters.value(Counters::sent) - sent_before >= kTurnSends;
      if ((messages == 0 || sent_enough) && message_waits(cell)) {
        if (sent_enough || longer == Duration() || !goes_on(longer, end)) {
          local.current = nullptr;
          return scheduler_->ready(cell);
        }
        messages = kTurnMessages;
      }
      if (Envelope* envelope = next_message(cell)) {
        --messages;
        handle(cell, envelope);
        if (!local.current) return;
        continue;
      }
    }
    if (local.lingers && linger(cell, local)) continue;
    std::uintptr_t expected = Cell::kEmpty;
    if (!cell.inbox.compare_exchange_strong(expected, Cell::kIdle, std::memory_order_seq_cst)) continue;
    local.current = nullptr;
    // From here on another worker may run the cell; only the thread that makes it busy again may touch it.
    if ((cell.outside.load(std::memory_order_seq_cst) & Cell::kSendersWait) == 0 || !cell.has_room()) return;
    expected = Cell::kIdle;
    if (!cell.inbox.compare_exchange_strong(expected, Cell::kEmpty, std::memory_order_acq_rel)) return;
    local.current = &cell;
    let_in_waiting(cell);
  }
}

/// To be idle and ready again costs sender and receiver more than to look once more; between two looks the sender has
/// the word for itself. True when there is something new.
bool Runtime::linger(const Cell& cell, const Local& local) const noexcept {
  constexpr int kLooks = 8, kPauses = 24;  // some microseconds in all
  for (int look = 0; look < kLooks && scheduler_->nothing_else(local); ++look) {
    for (int i = 0; i < kPauses; ++i) cpu_relax();
    if (cell.inbox.load(std::memory_order_relaxed) != Cell::kEmpty) return true;
  }
  return false;
}

/// A mailbox that many fill must not fall behind for having only one turn among theirs; the first call sets the end.
bool Runtime::goes_on(Duration longer, TimePoint& end) const noexcept {
  const TimePoint moment = now();
  if (end == TimePoint()) end = moment + longer;
  return moment < end;
}

void Runtime::take_mail(Cell& cell, const Local& local) {
  Chain normal, controls;
  std::array<Chain, 4> lanes;
  bool special = false;
  auto* at = reinterpret_cast<Envelope*>(cell.inbox.exchange(Cell::kEmpty, std::memory_order_acquire));
  while (at) {
    Envelope* older = at->next;
    if (at->kind != Envelope::Kind::message) {
      controls.put_first(at);
    } else if (at->priority == Priority::normal) {
      normal.put_first(at);
    } else {
      lanes[static_cast<std::size_t>(at->priority)].put_first(at);
      special = true;
    }
    at = older;
  }
  normal.append_to(cell.last);
  if (special) {
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].append_to(side(cell).lanes[i].last);
    cell.set(Cell::kLanes);
  }
  for (Envelope* control = controls.first; control;) {
    Envelope* next = control->next;
    if (local.current) {
      take_control(cell, control);
      if (local.current) after_message(cell);
    } else {
      dispose(control);
    }
    control = next;
  }
}

void Runtime::keep(Cell& cell, Envelope* envelope) {
  if (envelope->priority == Priority::normal) return put_last(cell.last, envelope);
  put_last(side(cell).lanes[static_cast<std::size_t>(envelope->priority)].last, envelope);
  cell.set(Cell::kLanes);
}

bool Runtime::message_waits(const Cell& cell) {
  if (cell.last || cell.is(Cell::kLanes)) return true;
  bool waits = false;
  if (cell.overflow.load(std::memory_order_relaxed) == Overflow::drop_oldest)
    full.with_existing(cell, [&](const FullMailboxes::Entry& entry) { waits = !entry.messages.empty(); });
  return waits;
}

void Runtime::keep_first(Cell& cell, Envelope* envelope) {
  Envelope*& last = envelope->priority == Priority::normal
                        ? cell.last
                        : side(cell).lanes[static_cast<std::size_t>(envelope->priority)].last;
  if (envelope->priority != Priority::normal) cell.set(Cell::kLanes);
  if (!last) return put_last(last, envelope);
  envelope->next = last->next;
  last->next = envelope;
}

Envelope* Runtime::next_special(Cell& cell) {
  if (!cell.is(Cell::kLanes)) {
    if (cell.overflow.load(std::memory_order_relaxed) != Overflow::drop_oldest) return nullptr;
    Envelope* oldest = nullptr;
    full.with_existing(cell,
                       [&](FullMailboxes::Entry& entry) { oldest = entry.take_next(++entry.picks % kFairness != 0); });
    return oldest;
  }
  Side& side = *cell.side;
  auto lane = [&](std::size_t priority) -> Envelope*& {
    return priority == static_cast<std::size_t>(Priority::normal) ? cell.last : side.lanes[priority].last;
  };
  ++side.picks;
  Envelope* picked = nullptr;
  if (side.picks % kFairness == 0) {  // low, normal and high in turn, whichever waits
    const std::size_t first = side.picks / kFairness % 3;
    for (std::size_t i = 0; i < 3 && !picked; ++i) {
      if (Envelope*& waiting = lane((first + i) % 3)) picked = take_first(waiting);
    }
  }
  for (std::size_t priority = 4; priority-- > 0 && !picked;) {
    if (Envelope*& waiting = lane(priority)) picked = take_first(waiting);
  }
  if (!side.lanes[0].last && !side.lanes[2].last && !side.lanes[3].last) cell.clear(Cell::kLanes);
  return picked;
}

void Runtime::handle(Cell& cell, Envelope* envelope) {
  count_handled(cell);
  if ((cell.outside.load(std::memory_order_relaxed) & Cell::kSendersWait) != 0) let_in_waiting(cell);
  cell.oldest_ms.store(envelope->sent_ms, std::memory_order_relaxed);
  const Address to = cell.address();
  if (envelope->target_generation != Cell::generation_of(to)) {
    count(Counters::discarded);
    return drop(envelope, Address(&cell, envelope->target_generation), Drop::stopped, Error());
  }
  if (envelope->rare) [[unlikely]]
    return handle_rare(cell, envelope, to);
  dispatch(cell, envelope, to);
}

void Runtime::handle_rare(Cell& cell, Envelope* envelope, const Address& to) {
  const Envelope::Rare& rare = *envelope->rare;
  if (rare.expires != TimePoint::max() && rare.expires <= now()) {
    count(Counters::discarded);
    return drop(envelope, to, Drop::expired, Error());
  }
  if (!rare.traced) return dispatch(cell, envelope, to);
  const TraceScope scope(rare.trace);
  dispatch(cell, envelope, to);
}

void Runtime::dispatch(Cell& cell, Envelope* envelope, const Address& to) {
  count(Counters::handled);
  try {
    switch (cell.type->dispatch(cell.object(), cell, envelope)) {
      case ActorType::Dispatched::done:
        Envelope::destroy(envelope);
        break;
      case ActorType::Dispatched::kept:
        break;
      case ActorType::Dispatched::unhandled:
        drop(envelope, to, Drop::unhandled, Error());
        break;
    }
  } catch (...) {
    std::exception_ptr failure = std::current_exception();
    detail::finish(cell, envelope);
    fail_after(cell, std::move(failure));
  }
  after_message(cell);
}

void Runtime::fail_or_stop(Cell& cell) {
  if (cell.is(Cell::kFailing)) {
    cell.clear(Cell::kFailing);
    failed(cell, std::exchange(cell.side->failure, nullptr));
  } else {
    cell.clear(Cell::kStopWanted);
    if (!cell.side) return begin_stop(cell, Reason::normal, {});
    begin_stop(cell, cell.side->end_reason, std::move(cell.side->end_what));
  }
}

void Runtime::dispose(Envelope* envelope) {
  if (envelope->kind == Envelope::Kind::control) {
    envelope->as<Control>()(nullptr);
  } else if (envelope->kind != Envelope::Kind::timer) {
    count(Counters::dropped + static_cast<std::size_t>(Drop::late));
  }
  Envelope::destroy(envelope);
}

void Runtime::take_control(Cell& cell, Envelope* envelope) {
  if (envelope->target_generation != cell.generation.load(std::memory_order_relaxed)) return dispose(envelope);
  if (envelope->kind == Envelope::Kind::timer) {
    run_timers(cell);
  } else if (envelope->kind == Envelope::Kind::control) {
    envelope->as<Control>()(&cell);
  } else if (Waiter* waiter = waiter_of(cell, envelope->correlation)) {
    waiter->take(*envelope);
  } else {
    return dispose(envelope);
  }
  Envelope::destroy(envelope);
}

Waiter* Runtime::waiter_of(const Cell& cell, std::uint64_t correlation) noexcept {
  const std::uint32_t index = static_cast<std::uint32_t>(correlation >> 32) - 1;
  if (!cell.side || index >= cell.side->slots.size()) return nullptr;
  const Side::Slot& slot = cell.side->slots[index];
  return slot.generation == static_cast<std::uint32_t>(correlation) ? slot.waiter : nullptr;
}

void Runtime::run_timers(Cell& cell) {
  if (!cell.side) return;
  cell.side->armed = TimePoint::max();
  const TimePoint moment = now();
  for (std::size_t left = cell.side->timers.size(); left > 0 && cell.side; --left) {  // not those set meanwhile
    TimerEntry* entry = cell.side->timers.take_due(moment);
    if (!entry) break;
    entry->due();
    if (cell.is(Cell::kFailing) || cell.is(Cell::kStopWanted))
      break;  // the rest waits for the next turn, if there is one
  }
  if (cell.side) arm(cell);
}

void Runtime::arm(Cell& cell) {
  Side& own = *cell.side;
  if (own.timers.empty() || own.timers.earliest() >= own.armed) return;
  own.armed = own.timers.earliest();
  scheduler_->wake_at(own.armed, cell, cell.generation.load(std::memory_order_relaxed));
}

void Runtime::set_timer(Cell& cell, TimerEntry& entry, TimePoint when) {
  side(cell).timers.set(entry, when);
  arm(cell);
}

void Runtime::due(Cell& cell, std::uint32_t generation) noexcept {
  if (cell.generation.load(std::memory_order_relaxed) != generation) return;
  auto* envelope = Envelope::make<Done>(Envelope::Kind::timer);
  envelope->target_generation = generation;
  if (!push(cell, envelope)) Envelope::destroy(envelope);
}

void Side::Scheduled::due() {
  Runtime& runtime = Runtime::of(cell);
  const bool again = period > Duration::zero();
  // What is for later is no work that was accepted, and may be for ever later; supervisors need theirs to stop
  // children.
  if (runtime.stopping() && !cell.type->supervises) return;
  try {
    Envelope* envelope = make();
    runtime.stamp(*envelope, {}, &cell, nullptr);
    (void)runtime.submit(cell.address(), envelope);
  } catch (...) {  // of a message's copy
    runtime.fail_after(cell, std::current_exception());
  }
  if (again) {
    runtime.set_timer(cell, *this, runtime.now() + period);
  } else {
    cell.side->scheduled.erase(id);  // this object
  }
}

std::uint64_t Runtime::open_slot(Cell& cell, Waiter& waiter) {
  Side& own = side(cell);
  if (own.free_slots.empty()) {
    own.free_slots.push_back(static_cast<std::uint32_t>(own.slots.size()));
    own.slots.emplace_back();
  }
  const std::uint32_t index = own.free_slots.back();
  own.free_slots.pop_back();
  own.slots[index].waiter = &waiter;
  return (std::uint64_t{index} + 1) << 32 | own.slots[index].generation;
}

void Runtime::close_slot(Cell& cell, std::uint64_t correlation) noexcept {
  const std::uint32_t index = static_cast<std::uint32_t>(correlation >> 32) - 1;
  Side::Slot& slot = cell.side->slots[index];
  slot.waiter = nullptr;
  ++slot.generation;
  cell.side->free_slots.push_back(index);
}

Envelope* Runtime::peek(Cell& cell, Local& local) {
  local.current = &cell;
  if (cell.inbox.load(std::memory_order_relaxed) != Cell::kEmpty) take_mail(cell, local);
  if (!local.current) return nullptr;
  Envelope* envelope = nullptr;
  if (can_handle(cell)) {
    const bool inside = cell.last || cell.is(Cell::kLanes);
    const std::uint32_t picks = cell.side ? cell.side->picks : 0;
    envelope = next_message(cell);
    if (cell.side) cell.side->picks = picks;
    if (envelope && inside) keep_first(cell, envelope);
    if (envelope && !inside) full.with_existing(cell, [&](FullMailboxes::Entry& entry) { entry.put_back(envelope); });
  }
  local.current = nullptr;
  return envelope;
}

}  // namespace weft::actor
