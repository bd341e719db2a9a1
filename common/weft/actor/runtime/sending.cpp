// Sending: how a message gets into a mailbox, or why not.
#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {
namespace {

constexpr int kRedirectsMax = 8;

Error closed(const std::string& who) { return Error(codes::actor_closed, who + " has stopped"); }

/// The overflow policy that by_priority resolves to.
Overflow policy_of(const Cell& cell, Priority priority) noexcept {
  const Overflow policy = cell.overflow.load(std::memory_order_relaxed);
  if (policy != Overflow::by_priority) return policy;
  switch (priority) {
    case Priority::low:
      return Overflow::drop_newest;
    case Priority::normal:
      return Overflow::fail;
    default:
      return Overflow::block;
  }
}

}  // namespace

Address Envelope::from() const noexcept { return sender ? Runtime::address_of(*sender, sender_generation) : Address(); }

void Runtime::stamp_rare(Envelope& envelope, const SendOptions& options, const Envelope* in_hand) {
  const bool in_hand_has = in_hand && in_hand->rare && in_hand->rare->traced;
  const Trace* const trace = options.trace ? &*options.trace : in_hand_has ? &in_hand->rare->trace : current_trace();
  envelope.rare = new Envelope::Rare;
  if (options.ttl != Duration()) envelope.rare->expires = now() + options.ttl;
  envelope.rare->reply_to = options.reply_to;
  envelope.rare->traced = trace != nullptr;
  if (trace) envelope.rare->trace = *trace;
}

Result<void> Runtime::submit(const Address& to, Envelope* envelope, Envelope** blocked) {
  Cell* cell = Cell::of(to);
  if (!cell || cell->generation.load(std::memory_order_acquire) != Cell::generation_of(to)) {
    const Drop reason = cell ? Drop::stopped : Drop::no_such_actor;
    Error error = reason_error(reason, to, *envelope);
    drop(envelope, to, reason, error);
    return error;
  }
  envelope->target_generation = Cell::generation_of(to);
  if (cell->outside.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
    if (cell->overflow.load(std::memory_order_relaxed) == Overflow::drop_oldest) {
      return submit_dropping(*cell, to, envelope);
    }
    const bool after_others = (cell->outside.load(std::memory_order_seq_cst) & Cell::kSendersWait) != 0 &&
                              policy_of(*cell, envelope->priority) == Overflow::block;
    if (after_others) return overflow(*cell, to, envelope, blocked);
  }
  if (!admit(*cell)) return overflow(*cell, to, envelope, blocked);
  if (!push(*cell, envelope)) {
    cell->accepted.fetch_sub(1, std::memory_order_relaxed);
    Error error = closed(name_of(to));
    drop(envelope, to, Drop::stopped, error);
    return error;
  }
  count(Counters::sent);
  return {};
}

Result<void> Runtime::submit_dropping(Cell& cell, const Address& to, Envelope* envelope) {
  Envelope* oldest = nullptr;
  const std::uint32_t capacity = cell.capacity.load(std::memory_order_relaxed);
  const bool alive = full.with_existing(cell, [&](FullMailboxes::Entry& entry) {
    entry.put(envelope);
    cell.accepted.fetch_add(1, std::memory_order_relaxed);
    if (capacity == 0 || entry.messages.size() <= capacity) return;
    oldest = entry.take_next(false);
    cell.accepted.fetch_sub(1, std::memory_order_relaxed);
    ++entry.dropped[static_cast<std::size_t>(Drop::overflow)];
  });
  if (!alive) {  // its entry goes when it ends
    Error error = closed(name_of(to));
    drop(envelope, to, Drop::stopped, error);
    return error;
  }
  if (oldest) {
    count(Counters::discarded);
    drop(oldest, to, Drop::overflow, Error(codes::message_dropped, name_of(to) + " got newer messages than this one"));
  }
  std::uintptr_t expected = Cell::kIdle;
  if (cell.inbox.compare_exchange_strong(expected, Cell::kEmpty, std::memory_order_seq_cst)) scheduler_->ready(cell);
  count(Counters::sent);
  return {};
}

Result<void> Runtime::overflow(Cell& cell, const Address& to, Envelope* envelope, Envelope** blocked) {
  const std::uint32_t capacity = cell.capacity.load(std::memory_order_relaxed);
  auto refuse = [&](Error error) {
    with_entry(to, 0, [](FullMailboxes::Entry& entry) { ++entry.dropped[static_cast<std::size_t>(Drop::overflow)]; });
    drop(envelope, to, Drop::overflow, error);
    return error;
  };
  const std::string who = name_of(to) + " has a full mailbox (capacity " + std::to_string(capacity) + ")";
  switch (policy_of(cell, envelope->priority)) {
    case Overflow::block:
      if (blocked) {
        *blocked = envelope;
        return {};
      }
      return refuse(Error(codes::mailbox_full, who + ", and this sender cannot wait", "use deliver() or send_wait()"));
    case Overflow::drop_newest:
      return refuse(Error(codes::message_dropped, who + ": the message was dropped"));
    case Overflow::redirect: {
      Address elsewhere;
      full.with_existing(cell, [&](FullMailboxes::Entry& entry) { elsewhere = entry.redirect_to; });
      thread_local int t_redirects = 0;
      if (!elsewhere || t_redirects == kRedirectsMax) {
        return refuse(Error(codes::mailbox_full, who + ", and so have those that it redirects to"));
      }
      ++t_redirects;
      auto submitted = submit(elsewhere, envelope, blocked);
      --t_redirects;
      return submitted;
    }
    default:
      return refuse(Error(codes::mailbox_full, who, "send less, or raise the capacity"));
  }
}

/// Calls `use(entry)` under the lock of the cell while the actor is alive, and says so in `outside`: then what end()
/// finds there is all. Nothing, and false, when it has ended.
template <class F>
bool Runtime::with_entry(const Address& to, std::uint8_t flags, F&& use) {
  Cell& cell = *Cell::of(to);
  auto alive = [&] {
    cell.outside.fetch_or(static_cast<std::uint8_t>(Cell::kEntry | flags), std::memory_order_seq_cst);
    return cell.generation.load(std::memory_order_seq_cst) == Cell::generation_of(to) &&
           cell.inbox.load(std::memory_order_seq_cst) != Cell::kClosed;
  };
  return full.with_if(cell, alive, use);
}

std::uint64_t Runtime::wait_for_room(const Address& to, Envelope* envelope, UniqueFunction<void(bool)> done) {
  static std::atomic<std::uint64_t> last_ticket{0};
  Cell& cell = *Cell::of(to);
  const std::uint64_t ticket = last_ticket.fetch_add(1, std::memory_order_relaxed) + 1;
  envelope->target_generation = Cell::generation_of(to);  // it may have been redirected, and refused there
  const bool alive = with_entry(to, Cell::kSendersWait, [&](FullMailboxes::Entry& entry) {
    entry.waiting.push_back({envelope, std::move(done), ticket});
  });
  if (!alive) {
    drop(envelope, to, Drop::stopped, closed(name_of(to)));
    done(false);
    return 0;
  }
  let_in_waiting(cell);  // it may have taken a message meanwhile, and may be busy with it for long
  return ticket;
}

bool Runtime::cancel_wait(const Address& to, std::uint64_t ticket) noexcept {
  WaitingSender found{};  // ends after the lock
  full.with_existing(*Cell::of(to), [&](FullMailboxes::Entry& entry) {
    for (auto at = entry.waiting.begin(); at != entry.waiting.end(); ++at) {
      if (at->ticket != ticket) continue;
      found = std::move(*at);
      entry.waiting.erase(at);
      return;
    }
  });
  if (found.envelope) Envelope::destroy(found.envelope);
  return found.envelope != nullptr;
}

void Runtime::let_in_waiting(Cell& cell) {
  for (;;) {
    WaitingSender next{};
    full.with(cell, [&](FullMailboxes::Entry& entry) {
      if (entry.waiting.empty()) {
        cell.outside.fetch_and(static_cast<std::uint8_t>(~Cell::kSendersWait), std::memory_order_seq_cst);
      } else if (admit(cell)) {
        next = std::move(entry.waiting.front());
        entry.waiting.pop_front();
        if (push(cell, next.envelope)) return;                  // after what its sender has sent before
        cell.accepted.fetch_sub(1, std::memory_order_relaxed);  // the actor is ending and will notify waiting senders
        entry.waiting.push_front(std::move(next));
        next = {};
      }
    });
    if (!next.envelope) return;
    count(Counters::sent);
    next.done(true);
  }
}

bool Runtime::control(const Address& to, Control work) {
  Cell* cell = Cell::of(to);
  auto* envelope = Envelope::make<Control>(Envelope::Kind::control, std::move(work));
  envelope->target_generation = Cell::generation_of(to);
  if (cell && cell->generation.load(std::memory_order_acquire) == Cell::generation_of(to) && push(*cell, envelope))
    return true;
  envelope->as<Control>()(nullptr);
  Envelope::destroy(envelope);
  return false;
}

void Runtime::answer(Address to, std::uint64_t correlation, bool external, Envelope* reply) noexcept {
  if (external) return reinterpret_cast<ReplyPort*>(correlation)->answer(reply);
  Cell* cell = Cell::of(to);
  reply->correlation = correlation;
  reply->target_generation = Cell::generation_of(to);
  if (cell->generation.load(std::memory_order_acquire) == Cell::generation_of(to)) {
    if (Local* here = own_local(); here && here->current) waits_for_somebody(to, *here->current);
    if (push(*cell, reply)) return;
  }
  dispose(reply);
}

void Runtime::answer_from_anywhere(const Address& to, std::uint64_t correlation, bool external,
                                   Envelope* reply) noexcept {
  if (external) return reinterpret_cast<ReplyPort*>(correlation)->answer(reply);
  of(*Cell::of(to)).answer(to, correlation, false, reply);
}

void Runtime::drop(Envelope* envelope, const Address& to, Drop reason, Error why, std::string_view name) {
  if (envelope->own) return Envelope::destroy(envelope);
  count(Counters::dropped + static_cast<std::size_t>(reason));
  const bool to_dead_letters = reason == Drop::no_such_actor || reason == Drop::stopped || reason == Drop::unhandled;
  if (reason == Drop::expired || reason == Drop::unhandled) {
    with_entry(to, 0, [&](FullMailboxes::Entry& entry) { ++entry.dropped[static_cast<std::size_t>(reason)]; });
  }
  if (envelope->correlation != 0) {
    if (why.code.empty()) why = reason_error(reason, to, *envelope);
    answer(envelope->from(), std::exchange(envelope->correlation, 0), envelope->external,
           Envelope::make<Error>(Envelope::Kind::error, std::move(why)));
  }
  tell(to_dead_letters ? Level::info : Level::debug, Family::mailbox, to_dead_letters ? "dead_letter" : "dropped", to,
       {{"message", std::string(envelope->type->name)}, {"reason", std::string(to_string(reason))}});
  if (!to_dead_letters) return Envelope::destroy(envelope);
  dead_letters.add(envelope, to, name.empty() ? names.name_of(to.id()) : std::string(name.substr(0, 128)), reason,
                   now());
}

Error Runtime::reason_error(Drop reason, const Address& to, const Envelope& envelope) const {
  const std::string who = name_of(to), what(envelope.type->name);
  switch (reason) {
    case Drop::no_such_actor:
      return Error(codes::no_such_actor, "there is no " + who);
    case Drop::unhandled:
      return Error(codes::not_handled, who + " does not handle " + what);
    case Drop::expired:
      return Error(codes::message_expired, "the time to live of " + what + " for " + who + " passed before its turn");
    default:
      return closed(who);
  }
}

Result<std::size_t> Runtime::publish(std::string_view topic, const SendOptions& options, Cell* sender,
                                     Envelope* in_hand, Envelope* (*copy)(const void*), const void* original) {
  auto subscribers = topics.subscribers(topic);
  if (!subscribers) return std::move(subscribers.error());
  std::size_t taken = 0;
  for (const Address& subscriber : *subscribers) {
    Envelope* envelope = copy(original);
    stamp(*envelope, options, sender, in_hand);
    if (submit(subscriber, envelope)) ++taken;
  }
  return taken;
}

bool Runtime::would_cycle(Cell& from, const Address& to) {
  constexpr int kHops = 64;
  if (from.type->interleaves || !to) return false;
  from.waits_for.store(Cell::of(to), std::memory_order_seq_cst);
  Cell* at = Cell::of(to);
  for (int hop = 0; at && hop < kHops; ++hop) {
    if (at == &from) return true;
    at = at->waits_for.load(std::memory_order_seq_cst);
  }
  return false;
}

void Runtime::waits_for_somebody(const Address& from, Cell& not_for) noexcept {
  Cell* answering = &not_for;
  Cell::of(from)->waits_for.compare_exchange_strong(answering, nullptr, std::memory_order_seq_cst);
}

Error Runtime::cycle_error(Cell& from) {
  const std::string first = name_of(from.address());
  std::string chain = first;
  for (Cell* at = from.waits_for.exchange(nullptr, std::memory_order_seq_cst); at;
       at = at->waits_for.load(std::memory_order_relaxed)) {
    chain += " calls " + name_of(at->address());
    if (at == &from || chain.size() > 1000) break;
  }
  return Error(codes::call_cycle, chain + ": nobody of them could ever answer",
               "let " + first + " interleave, or send instead of calling");
}

Result<void> Context::submit(const Address& to, Envelope* envelope, const SendOptions& options) {
  Runtime& here = Runtime::of(*cell_);
  here.stamp(*envelope, options, cell_, envelope_);
  return here.submit(to, envelope);
}

}  // namespace weft::actor
