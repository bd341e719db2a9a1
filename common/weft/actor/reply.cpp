#include "weft/actor/reply.hpp"

#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {

ReturnAddress::ReturnAddress(ReturnAddress&& other) noexcept
    : to_(other.to_), correlation_(std::exchange(other.correlation_, 0)), external_(other.external_) {}

ReturnAddress& ReturnAddress::operator=(ReturnAddress&& other) noexcept {
  if (this != &other) {
    ReturnAddress old(std::move(*this));
    to_ = other.to_;
    correlation_ = std::exchange(other.correlation_, 0);
    external_ = other.external_;
  }
  return *this;
}

ReturnAddress::~ReturnAddress() {
  if (correlation_ == 0) return;
  answer(Envelope::make<Error>(Envelope::Kind::error,
                               Error(codes::actor_failed, "whoever had to answer gave it up without an answer")));
}

void ReturnAddress::answer(Envelope* reply) noexcept {
  if (correlation_ == 0) return Envelope::destroy(reply);  // no reply was requested
  Runtime::answer_from_anywhere(to_, std::exchange(correlation_, 0), external_, reply);
}

ReplyBase::ReplyBase(Cell& cell, const Address& to, Envelope* request, Duration timeout)
    : cell_(cell), timeout_(timeout) {
  Runtime& runtime = Runtime::of(cell);
  if (runtime.would_cycle(cell, to)) {
    error_ = std::make_unique<Error>(runtime.cycle_error(cell));
    over_ = true;
    Envelope::destroy(request);
    return;
  }
  correlation_ = runtime.open_slot(cell, *this);
  request->correlation = correlation_;
  if (timeout > Duration::zero()) runtime.set_timer(cell, *this, runtime.now() + timeout);
  if (auto sent = runtime.submit(to, request); !sent && !over_) {
    error_ = std::make_unique<Error>(std::move(sent.error()));
    finish();
  }
}

ReplyBase::ReplyBase(Cell& cell, ReturnAddress& give, Duration timeout) : cell_(cell), timeout_(timeout) {
  Runtime& runtime = Runtime::of(cell);
  correlation_ = runtime.open_slot(cell, *this);
  if (timeout > Duration::zero()) runtime.set_timer(cell, *this, runtime.now() + timeout);
  ReturnAddress address;
  address.to_ = cell.address();
  address.correlation_ = correlation_;
  give = std::move(address);
}

ReplyBase::~ReplyBase() {
  if (!over_) finish();
}

void ReplyBase::finish() {
  over_ = true;
  cell_.waits_for.store(nullptr, std::memory_order_relaxed);
  Runtime& runtime = Runtime::of(cell_);
  runtime.close_slot(cell_, correlation_);
  if (timeout_ > Duration::zero()) runtime.side(cell_).timers.cancel(*this);
}

void ReplyBase::take(Envelope& reply) {
  if (reply.kind != Envelope::Kind::value || !take_value(reply)) {
    error_ = std::make_unique<Error>(detail::error_of(reply, message_type<Done>));
  }
  finish();
  if (waiting_) waiting_.resume();
}

void ReplyBase::due() {
  error_ = std::make_unique<Error>(detail::no_reply(timeout_));
  finish();
  if (waiting_) waiting_.resume();
}

Delivery::Delivery(Cell& cell, const Address& to, Envelope* message, Duration timeout) : cell_(cell), to_(to) {
  Runtime& runtime = Runtime::of(cell);
  Envelope* blocked = nullptr;
  if (auto sent = runtime.submit(to, message, &blocked); !sent)
    error_ = std::make_unique<Error>(std::move(sent.error()));
  over_ = !blocked;
  if (over_) return;
  correlation_ = runtime.open_slot(cell, *this);
  if (timeout > Duration::zero()) runtime.set_timer(cell, *this, runtime.now() + timeout);
  ticket_ = runtime.wait_for_room(to, blocked, [back = cell.address(), correlation = correlation_](bool accepted) {
    Envelope* news = accepted ? Envelope::make<Done>(Envelope::Kind::value)
                              : Envelope::make<Error>(Envelope::Kind::error,
                                                      Error(codes::actor_closed, "the actor has stopped meanwhile"));
    Runtime::answer_from_anywhere(back, correlation, false, news);
  });
}

Delivery::~Delivery() {
  if (over_) return;
  Runtime& runtime = Runtime::of(cell_);
  runtime.close_slot(cell_, correlation_);
  runtime.cancel_wait(to_, ticket_);
}

void Delivery::take(Envelope& reply) {
  if (reply.kind == Envelope::Kind::error) error_ = std::make_unique<Error>(std::move(reply.as<Error>()));
  finish();
}

void Delivery::due() {
  Runtime& runtime = Runtime::of(cell_);
  if (!runtime.cancel_wait(to_, ticket_)) return;  // it is in: the news is on its way
  error_ = std::make_unique<Error>(codes::mailbox_full, runtime.name_of(to_) + " had no room in its mailbox in time");
  finish();
}

void Delivery::finish() {
  over_ = true;
  Runtime& runtime = Runtime::of(cell_);
  runtime.close_slot(cell_, correlation_);
  runtime.side(cell_).timers.cancel(*this);
  if (waiting_) waiting_.resume();
}

Result<void> Delivery::await_resume() {
  if (error_) return std::move(*error_);
  return {};
}

void Sleep::await_suspend(std::coroutine_handle<> waiting) {
  waiting_.set(waiting);
  Runtime& runtime = Runtime::of(cell_);
  runtime.set_timer(cell_, *this, runtime.now() + delay_);
}

namespace detail {

void enter(Cell& cell, ActivationLink& link) {
  Side& side = Runtime::of(cell).side(cell);
  link.next = side.activations;
  if (link.next) link.next->previous = &link;
  side.activations = &link;
  if (side.activation_count++ == 0) cell.handlers_wait.store(true, std::memory_order_relaxed);
  if (!cell.type->interleaves) cell.set(Cell::kSuspended);
}

void leave(Cell& cell, ActivationLink& link) noexcept {
  (link.previous ? link.previous->next : cell.side->activations) = link.next;
  if (link.next) link.next->previous = link.previous;
  if (--cell.side->activation_count == 0) cell.handlers_wait.store(false, std::memory_order_relaxed);
  cell.clear(Cell::kSuspended);
}

void fail_after(Cell& cell, std::exception_ptr failure) noexcept {
  Runtime::of(cell).fail_after(cell, std::move(failure));
}
void started_after(Cell& cell) noexcept { Runtime::of(cell).started_after(cell); }

void answer(Cell& cell, Envelope& request, Envelope* reply) {
  Runtime& runtime = Runtime::of(cell);
  if (request.correlation != 0) {
    return runtime.answer(request.from(), std::exchange(request.correlation, 0), request.external, reply);
  }
  reply->kind = Envelope::Kind::message;
  runtime.stamp(*reply, {}, &cell, &request);
  (void)runtime.submit(request.rare->reply_to, reply);
}

void finish(Cell& cell, Envelope* envelope) noexcept {
  if (envelope->correlation != 0) {
    Runtime& runtime = Runtime::of(cell);
    const std::string who = runtime.name_of(cell.address());
    runtime.answer(envelope->from(), envelope->correlation, envelope->external,
                   Envelope::make<Error>(Envelope::Kind::error,
                                         Error(codes::actor_failed,
                                               who + " failed while it handled " + std::string(envelope->type->name))));
  }
  Envelope::destroy(envelope);
}

InTurn::~InTurn() {
  if (correlation_ != 0) Runtime::of(cell_).close_slot(cell_, correlation_);
}

bool InTurn::await_ready() const noexcept {
  const Local* here = Runtime::local();
  return here && here->current == &cell_;
}

void InTurn::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  Runtime& runtime = Runtime::of(cell_);
  correlation_ = runtime.open_slot(cell_, *this);
  runtime.answer(cell_.address(), correlation_, false, Envelope::make<Done>(Envelope::Kind::value));
}

Error error_of(Envelope& reply, const MessageType& wanted) {
  if (reply.kind == Envelope::Kind::error) return std::move(reply.as<Error>());
  return Error(codes::not_handled,
               "the answer is a " + std::string(reply.type->name) + ", not a " + std::string(wanted.name));
}

Error no_reply(Duration timeout) { return Error(codes::no_reply, "no answer within " + to_text(timeout)); }

}  // namespace detail
}  // namespace weft::actor
