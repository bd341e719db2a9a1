// Lifecycle: how an actor starts, fails, stops and ends.
#include <algorithm>

#include "weft/actor/runtime/runtime_inline.hpp"
#include "weft/actor/runtime/supervisor.hpp"

namespace weft::actor {
namespace {}  // namespace

Result<void> Runtime::admit_actor() noexcept {
  if (stopping()) return Error(codes::system_stopping, "no actor is started any more: the system is stopping");
  const std::uint64_t live = actors_.fetch_add(1, std::memory_order_relaxed);
  if (options_.actors_max == 0 || live < options_.actors_max) return {};
  actors_.fetch_sub(1, std::memory_order_relaxed);
  return Error(codes::too_many_actors, "the limit of " + std::to_string(options_.actors_max - 1) +
                                           " actors is reached: " + std::to_string(live - 1) +
                                           " live (actors_max)");  // both without the root
}

void Runtime::open(Cell& cell, const MailboxOptions& mailbox, std::optional<unsigned> worker) {
  cell.capacity.store(mailbox.capacity, std::memory_order_relaxed);
  cell.overflow.store(mailbox.overflow, std::memory_order_relaxed);
  cell.pin.store(worker ? static_cast<std::uint8_t>(*worker + 1) : std::uint8_t{0}, std::memory_order_relaxed);
  // Not set to 0: a sender with an old address may be between its count and its push.
  if (cell.handled.load(std::memory_order_relaxed) != 0) {
    cell.accepted.fetch_sub(cell.handled.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  }
  cell.handled_seen.store(0, std::memory_order_relaxed);
  cell.restarts.store(0, std::memory_order_relaxed);
  cell.waits_for.store(nullptr, std::memory_order_relaxed);
  cell.outside.store(0, std::memory_order_relaxed);
  cell.farewell.store(0, std::memory_order_relaxed);
  cell.state.store(State::starting, std::memory_order_relaxed);
  cell.flags = 0;
  cell.last = nullptr;
  if (mailbox.overflow == Overflow::drop_oldest || mailbox.overflow == Overflow::redirect) {
    full.with(cell, [&](FullMailboxes::Entry& entry) { entry.redirect_to = mailbox.redirect_to; });
    cell.outside.store(Cell::kEntry, std::memory_order_relaxed);
  }
}

Result<void> Runtime::register_name(Cell& cell, const std::string& name) {
  if (name.empty()) return {};
  auto named = names.add(name, cell.address());
  if (named) side(cell).name = name;
  return named;
}

Result<Address> Runtime::spawn(Cell* parent, const ActorType& type, SpawnOptions options,
                               void (*construct)(void*, void*), void* data) {
  if (options.mailbox.overflow == Overflow::redirect || options.mailbox.capacity > 0xFFFF || options.worker) {
    if (auto fine = check(options.mailbox); !fine) return std::move(fine.error());
    if (options.worker && *options.worker >= std::max(1U, scheduler_->workers())) {
      return Error(codes::bad_value, "worker: there are " + std::to_string(scheduler_->workers()) + ", the first is 0");
    }
  }
  if (auto fine = admit_actor(); !fine) return std::move(fine.error());
  Cell* cell = make_cell(type);
  open(*cell, options.mailbox, options.worker);
  auto undo = [&](Error error) -> Result<Address> {
    actors_.fetch_sub(1, std::memory_order_relaxed);
    if (cell->side && !cell->side->name.empty()) names.remove(cell->side->name);
    if ((cell->outside.load(std::memory_order_relaxed) & Cell::kEntry) != 0) full.remove(*cell);
    delete std::exchange(cell->side, nullptr);
    free_cell(*cell);
    return error;
  };
  if (auto named = register_name(*cell, options.name); !named) return undo(std::move(named.error()));
  try {
    construct(cell->object(), data);
  } catch (...) {
    return undo(Error(codes::actor_failed,
                      std::string(type.name) + " cannot be made: " + what_of(std::current_exception()).text));
  }
  cell->set(Cell::kBuilt);
  cell->farewell.store(Cell::kForgotten, std::memory_order_relaxed);
  if (!link(parent ? *parent : *Cell::of(root_), *cell)) {
    type.destroy(cell->object());
    return undo(Error(codes::system_stopping, "no actor is started any more: its parent is stopping"));
  }
  count(Counters::spawned);
  if (monitor_->wants(Level::debug))
    tell(Level::debug, Family::actor, "spawned", cell->address(), {{"type", std::string(type.name)}});
  const Address address = cell->address();
  if (!type.starts) {
    cell->state.store(State::running, std::memory_order_relaxed);
    cell->inbox.store(Cell::kIdle, std::memory_order_release);
  } else if (Local* here = own_local(); here && here->current && here->nested < kNestedMax && !options.worker) {
    first_turn(*cell, *here);
  } else {
    auto* envelope = Envelope::make<Control>(Envelope::Kind::control, [this](Cell* starting) {
      if (starting) start_built(*starting);
    });
    envelope->target_generation = Cell::generation_of(address);
    cell->inbox.store(reinterpret_cast<std::uintptr_t>(envelope), std::memory_order_release);
    scheduler_->ready(*cell);
  }
  return address;
}

void Runtime::first_turn(Cell& cell, Local& local) {
  cell.inbox.store(Cell::kEmpty, std::memory_order_release);
  Cell* outer = std::exchange(local.current, &cell);
  ++local.nested;
  start_built(cell);
  after_message(cell);
  if (local.current) {  // it did not end
    std::uintptr_t expected = Cell::kEmpty;
    const bool idle = cell.inbox.compare_exchange_strong(expected, Cell::kIdle, std::memory_order_seq_cst);
    if (!idle) scheduler_->ready(cell);
  }
  --local.nested;
  local.current = outer;
}

Result<Address> Runtime::reserve(ChildSpec spec, const Address& supervisor) {
  if (auto fine = check(spec.options); !fine) return std::move(fine.error());
  if (auto fine = admit_actor(); !fine) return std::move(fine.error());
  Cell* cell = make_cell(*spec.type);
  open(*cell, spec.options.mailbox, spec.options.worker);
  if (auto named = register_name(*cell, spec.options.name); !named) {
    actors_.fetch_sub(1, std::memory_order_relaxed);
    if ((cell->outside.load(std::memory_order_relaxed) & Cell::kEntry) != 0) full.remove(*cell);
    delete std::exchange(cell->side, nullptr);
    free_cell(*cell);
    return std::move(named.error());
  }
  side(*cell).spec = std::make_unique<ChildSpec>(std::move(spec));
  side(*cell).supervisor = supervisor;
  cell->set(Cell::kSupervised);
  count(Counters::spawned);
  if (monitor_->wants(Level::debug)) {
    tell(Level::debug, Family::actor, "spawned", cell->address(), {{"type", std::string(cell->type->name)}});
  }
  cell->inbox.store(Cell::kIdle, std::memory_order_release);
  return cell->address();
}

void Runtime::start_now(Cell& cell) {
  Side& own = *cell.side;
  own.no_children = false;  // it has no children, so no other thread reads this
  if (!own.spec->options.keep_mailbox && cell.state.load(std::memory_order_relaxed) != State::starting) {
    drop_queue(cell, nullptr);
  }
  cell.state.store(State::starting, std::memory_order_relaxed);
  try {
    (*own.spec->construct)(cell.object());
    cell.set(Cell::kBuilt);
  } catch (...) {
    return fail_after(cell, std::current_exception());
  }
  start_built(cell);
}

void Runtime::start_built(Cell& cell) {
  try {
    cell.type->pre_start(cell.object(), cell);
  } catch (...) {
    fail_after(cell, std::current_exception());
  }
}

void Runtime::started_after(Cell& cell) noexcept {
  if (cell.state.load(std::memory_order_relaxed) != State::starting) return;
  cell.state.store(State::running, std::memory_order_relaxed);
  if (cell.is(Cell::kSupervised)) tell_supervisor_started(cell);
}

void Runtime::fail_after(Cell& cell, std::exception_ptr failure) noexcept {
  side(cell).failure = std::move(failure);
  cell.set(Cell::kFailing);
}

void Runtime::stop_after(Cell& cell, Reason reason, std::string what) {
  if (cell.is(Cell::kStopWanted)) return;
  if (cell.side || reason != Reason::normal) {
    side(cell).end_reason = reason;
    side(cell).end_what = std::move(what);
  }
  cell.set(Cell::kStopWanted);
}

void Runtime::failed(Cell& cell, std::exception_ptr failure) {
  const State state = cell.state.load(std::memory_order_relaxed);
  if (state == State::stopped || state == State::failed) return;
  const auto [exception, what, stack] = what_of_with_stack(failure);
  count(Counters::failures);
  tell(Level::error, Family::actor, "failed", cell.address(),
       {{"what", what},
        {"exception", exception},
        {"stack", stack},
        {"type", std::string(cell.type->name)},
        {"restarts", std::to_string(cell.side->restarts)}});
  Directive directive = Directive::restart;
  if (state == State::running) {
    try {
      directive = cell.type->on_error(cell.object(), cell, failure);
    } catch (...) {
      tell(Level::error, Family::actor, "on_error_failed", cell.address(),
           {{"what", what_of(std::current_exception()).text}});
    }
  }
  switch (directive) {
    case Directive::resume:
      return;
    case Directive::stop:
      return begin_stop(cell, Reason::normal, what);
    case Directive::restart:
      return begin_stop(cell, Reason::error, what);
    case Directive::escalate:
      return begin_stop(cell, Reason::escalated, what);
  }
}

void Runtime::begin_stop(Cell& cell, Reason reason, std::string what) {
  const State state = cell.state.load(std::memory_order_relaxed);
  if (state == State::stopping) {
    if (!cell.is(Cell::kHolding) || reason == Reason::shutdown) return;
    cell.clear(Cell::kHolding);  // what held it failed
  }
  if (state == State::stopped || state == State::failed) return;
  cell.state.store(State::stopping, std::memory_order_relaxed);
  cell.clear(Cell::kStopWanted);
  if (&cell == Cell::of(root_)) refuse_new();
  if (cell.side || (reason != Reason::normal && reason != Reason::shutdown)) {
    Side& own = side(cell);
    own.end_reason = reason;
    own.end_what = std::move(what);
    while (own.activations) own.activations->destroy(*own.activations);
    cell.clear(Cell::kSuspended);
  }
  if (state != State::stopping && reason == Reason::shutdown && cell.is(Cell::kBuilt) &&
      cell.type->hold_stop(cell.object(), cell)) {
    return cell.set(Cell::kHolding);
  }
  stop_children(cell);
}

void Runtime::resume_stop(const Address& actor) {
  Cell& cell = *Cell::of(actor);
  if (!cell.is(Cell::kHolding)) return;
  cell.clear(Cell::kHolding);
  stop_children(cell);
}

void Runtime::stop_children(Cell& cell) {
  if (!cell.side) return finish_stop(cell);
  std::vector<Address> children;
  {
    Side& own = side(cell);
    const std::lock_guard lock(tree_lock(cell));
    own.no_children = true;
    for (Cell* child = own.youngest_child; child; child = own.in_order ? nullptr : child->older)
      children.push_back(child->address());
    own.waits_for_children = !children.empty();
  }
  if (children.empty()) return finish_stop(cell);
  for (const Address& child : children) {
    abandon(child);
  }
}

void Runtime::stop_for_parent(Cell& cell) {
  cell.farewell.fetch_or(Cell::kForgotten, std::memory_order_acq_rel);
  cell.clear(Cell::kSupervised);  // its supervisor ends too: no report is due
  const State state = cell.state.load(std::memory_order_relaxed);
  if (state == State::starting && !cell.is(Cell::kBuilt)) return end(cell, State::stopped);
  if (state == State::stopped || state == State::failed) return end(cell, state);
  begin_stop(cell, Reason::shutdown, {});
}

void Runtime::finish_stop(Cell& cell) {
  static Side nothing;  // for cells without a Side; never written
  Side& own = cell.side ? *cell.side : nothing;
  if (&cell == Cell::of(root_) && own.end_reason != Reason::shutdown) {
    const std::lock_guard lock(root_failure_mutex);
    root_failure = own.end_what;
  }
  if (cell.is(Cell::kBuilt)) {
    if (!own.skip_post_stop) {
      try {
        cell.type->post_stop(cell.object(), cell);
      } catch (...) {
        tell(Level::error, Family::actor, "post_stop_failed", cell.address(),
             {{"what", what_of(std::current_exception()).text}});
      }
    }
    cell.clear(Cell::kBuilt);
    cell.clear(Cell::kFailing);
    try {
      cell.type->destroy(cell.object());
    } catch (...) {
      tell(Level::error, Family::actor, "destructor_failed", cell.address(),
           {{"what", what_of(std::current_exception()).text}});
    }
  }
  if (cell.side) {
    own.scheduled.clear();
    own.skip_post_stop = false;
    for (const std::string& topic : std::exchange(own.topics, {})) topics.remove(topic, cell.address());
  }
  const bool forgotten = (cell.farewell.load(std::memory_order_acquire) & Cell::kForgotten) != 0;
  const bool orderly = own.end_reason == Reason::normal || own.end_reason == Reason::shutdown;
  const State as = orderly ? State::stopped : State::failed;
  if (forgotten || own.close_wanted || !cell.is(Cell::kSupervised)) return end(cell, as);
  cell.state.store(as, std::memory_order_relaxed);
  tell_supervisor_ended(cell);
  if (own.next_incarnation == 0) return;
  own.incarnation = std::exchange(own.next_incarnation, 0);
  start_now(cell);
}

void Runtime::end(Cell& cell, State as) {
  const Address address = cell.address();
  cell.state.store(as, std::memory_order_relaxed);
  drop_queue(cell, reinterpret_cast<Envelope*>(cell.inbox.exchange(Cell::kClosed, std::memory_order_seq_cst)));
  actors_.fetch_sub(1, std::memory_order_relaxed);
  count(Counters::stopped);
  if (Side* own = cell.side) {
    if (!own->name.empty()) names.remove(own->name);
    const Down down{address, own->name, own->end_reason, own->end_what};
    for (const Address& watcher : std::exchange(own->watchers, {})) tell_down(watcher, down);
  }
  if (monitor_->wants(Level::debug)) {
    const Reason reason = cell.side ? cell.side->end_reason : Reason::normal;
    tell(Level::debug, Family::actor, "stopped", address, {{"reason", std::string(to_string(reason))}});
  }
  if (Local* here = own_local(); here && here->current == &cell) here->current = nullptr;
  const std::uint8_t before = cell.farewell.fetch_or(Cell::kGone, std::memory_order_acq_rel);
  if ((before & Cell::kForgotten) != 0) release(cell);
}

void Runtime::drop_queue(Cell& cell, Envelope* taken) {
  const Address address = cell.address();
  if (reinterpret_cast<std::uintptr_t>(taken) <= Cell::kClosed) taken = nullptr;
  std::vector<Envelope*> newest_first;
  for (Envelope* at = taken; at; at = at->next) newest_first.push_back(at);
  std::optional<FullMailboxes::Entry> outside;
  if (cell.inbox.load(std::memory_order_relaxed) == Cell::kClosed &&
      (cell.outside.load(std::memory_order_seq_cst) & Cell::kEntry) != 0) {
    outside = full.remove(cell);
  }
  auto drop_one = [&](Envelope* envelope) {
    cell.handled.store(cell.handled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    count(envelope->own ? Counters::discarded : Counters::lost);
    drop(envelope, address, Drop::stopped, Error());
  };
  while (Envelope* envelope = next_message(cell)) drop_one(envelope);
  for (auto at = newest_first.rbegin(); at != newest_first.rend(); ++at) {
    if ((*at)->kind == Envelope::Kind::message) {
      drop_one(*at);
    } else {
      dispose(*at);
    }
  }
  if (!outside) return;
  for (Envelope* envelope : outside->messages) drop_one(envelope);
  for (WaitingSender& waiting : outside->waiting) {
    drop(waiting.envelope, address, Drop::stopped, Error());
    waiting.done(false);
  }
}

void Runtime::stop(const Address& actor) {
  if (!actor) return;
  const Cell& cell = *Cell::of(actor);
  const bool known = !has_ended(actor) && (cell.farewell.load(std::memory_order_acquire) & Cell::kForgotten) == 0;
  Cell* parent = known ? cell.parent.load(std::memory_order_acquire) : nullptr;  // it knows what to do if this hangs
  if (parent) force(parent->address(), Envelope::make<RemoveChild>(Envelope::Kind::message, RemoveChild{actor.id()}));
  if (parent && parent != Cell::of(root_)) return;
  control(actor, [this](Cell* stopping) {
    if (!stopping) return;
    if (stopping->is(Cell::kSupervised)) return ask_supervisor_to_remove(*stopping);
    begin_stop(*stopping, Reason::shutdown, {});
  });
}

void Runtime::force(const Address& to, Envelope* envelope) {
  Cell* cell = Cell::of(to);
  envelope->own = true;
  if (cell && cell->generation.load(std::memory_order_acquire) == Cell::generation_of(to)) {
    envelope->target_generation = Cell::generation_of(to);
    cell->accepted.fetch_add(1, std::memory_order_relaxed);
    if (push(*cell, envelope)) return count(Counters::sent);
    cell->accepted.fetch_sub(1, std::memory_order_relaxed);
  }
  drop(envelope, to, Drop::stopped, Error());
}

}  // namespace weft::actor
