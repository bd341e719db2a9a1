#include "weft/calls/stream_core.hpp"

namespace weft::calls {
namespace {
constexpr std::uint32_t kGrants = 8;  // in which a window is given again
constexpr Duration kAsk = 5s;         // while an end waits, it makes sure this often that the other end is still there

/// What a chunk costs of the credit: chunks of no bytes would else wait without a bound.
std::int64_t cost_of(std::size_t bytes) { return static_cast<std::int64_t>(bytes + wire::kHeaderSize); }

/// 0 for what is no credit.
std::uint32_t credit_in(BytesView payload) {
  const auto value = from_msgpack(payload);
  if (!value || value->type() != Value::Type::integer || value->as_int() < 0 || value->as_int() > UINT32_MAX) return 0;
  return static_cast<std::uint32_t>(value->as_int());
}
}  // namespace

/// Waits until woken, or for kAsk at most.
class StreamCore::Wait {
 public:
  Wait(StreamCore& core, std::coroutine_handle<>& slot) : core_(core), slot_(slot) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    slot_ = nullptr;
    core_.loop_.cancel(timer_);
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    slot_ = waiter;
    timer_ = core_.loop_.after(core_.idle_ > Duration::zero() ? std::min(kAsk, core_.idle_) : kAsk, [this] {
      timer_ = 0;
      core_.wake(slot_);
    });
  }
  void await_resume() const noexcept {}

 private:
  StreamCore& core_;
  std::coroutine_handle<>& slot_;
  Loop::Id timer_ = 0;
};

void StreamCore::wake(std::coroutine_handle<>& waiter) {
  if (auto handle = std::exchange(waiter, nullptr)) handle.resume();
}

void StreamCore::grant(std::uint32_t bytes) {
  balance_ += bytes;
  Payload payload = Payload::of(Value(bytes));
  (void)send(wire::Kind::credit, 0, payload);
}

/// Credit is given in eighths of the window: few messages, and over a long way nearly a window is under way. In halves,
/// what is read behind the grant waits for the next one, a round trip later: half a window at a time.
void StreamCore::consumed(std::size_t bytes) {
  consumed_ += static_cast<std::uint64_t>(cost_of(bytes));
  if (consumed_ < window_ / kGrants || read_ended_ || outcome_) return;
  grant(static_cast<std::uint32_t>(std::min<std::uint64_t>(std::exchange(consumed_, 0), UINT32_MAX)));
}

Task<Result<std::optional<Payload>>> StreamCore::read() {
  using Read = Result<std::optional<Payload>>;
  const auto self = shared_from_this();
  const TimePoint begin = loop_.now();
  while (chunks_.empty()) {
    if (const Error* why = failure()) co_return Read(*why);
    if (read_ended_ || outcome_) co_return Read(std::nullopt);
    if (idle_ > Duration::zero() && loop_.now() - begin >= idle_) {
      break_off(Error(codes::deadline_exceeded, "no chunk came for " + to_text(idle_)));
      continue;
    }
    co_await Wait(*this, reader_);
    Payload nothing;
    if (chunks_.empty() && !outcome_ && !read_ended_) (void)send(wire::Kind::heartbeat, 0, nothing);
  }
  Payload chunk = std::move(chunks_.front());
  chunks_.pop_front();
  consumed(chunk.bytes.size());
  co_return Read(std::move(chunk));
}

Task<Result<void>> StreamCore::write(Payload chunk) {
  const auto self = shared_from_this();
  const TimePoint begin = loop_.now();
  for (;;) {
    if (const Error* why = failure()) co_return *why;
    if (write_ended_ || outcome_)
      co_return Error(codes::stream_closed, "the stream takes no more chunks: it was ended");
    if (credit_ > 0) break;
    if (idle_ > Duration::zero() && loop_.now() - begin >= idle_) {
      break_off(Error(codes::deadline_exceeded, "the reader of a stream took nothing for " + to_text(idle_)));
      continue;
    }
    co_await Wait(*this, writer_);
    Payload nothing;
    if (credit_ <= 0 && !outcome_) (void)send(wire::Kind::heartbeat, 0, nothing);
  }
  const std::int64_t cost = cost_of(chunk.bytes.size());
  if (auto sent = send(wire::Kind::chunk, 0, chunk); !sent) co_return sent;
  credit_ -= cost;
  co_return Result<void>();
}

Result<void> StreamCore::end_writes() {
  if (const Error* why = failure()) return *why;
  if (std::exchange(write_ended_, true) || outcome_) return {};
  Payload nothing;
  return send(wire::Kind::chunk, wire::kFlagEnd, nothing);
}

Task<Result<Payload>> StreamCore::result() {
  const auto self = shared_from_this();
  discard_ = true;
  for (auto unread = std::exchange(chunks_, {}); const auto& chunk : unread) consumed(chunk.bytes.size());
  while (!outcome_) co_await Wait(*this, finisher_);
  co_return *outcome_;
}

void StreamCore::take_chunk(const wire::EnvelopeView& envelope) {
  if (outcome_) return;
  const bool end = (envelope.header.flags & wire::kFlagEnd) != 0;
  const bool empty = end && envelope.payload.empty();
  if (read_ended_ || (balance_ <= 0 && !empty)) {
    return break_off(Error(codes::bad_stream, read_ended_ ? "a chunk came after the end of a stream"
                                                          : "a chunk came without credit for it"));
  }
  if (!empty) balance_ -= cost_of(envelope.payload.size());
  if (discard_ && !reader_) {
    if (!empty) consumed(envelope.payload.size());
  } else if (!empty) {
    chunks_.emplace_back(envelope.header.encoding, Bytes(envelope.payload.begin(), envelope.payload.end()));
  }
  if (end) read_ended_ = true;
  wake(reader_);
}

void StreamCore::take_credit(const wire::EnvelopeView& envelope) {
  const std::uint32_t bytes = credit_in(envelope.payload);
  if (outcome_) return;
  if (bytes == 0 || credit_ > INT64_C(1) << 40) return break_off(Error(codes::bad_stream, "a senseless credit"));
  credit_ += bytes;
  wake(writer_);
}

void StreamCore::finish(Result<Payload> outcome) {
  if (outcome_) return;
  const auto self = shared_from_this();  // whoever is woken may let go of the stream
  outcome_.emplace(std::move(outcome));
  wake(reader_);
  wake(writer_);
  wake(finisher_);
}

void StreamCore::fail(Error error) { finish(std::move(error)); }

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    if (core_) core_->abandon();
    core_ = std::move(other.core_);
  }
  return *this;
}
Stream::~Stream() {
  if (core_) core_->abandon();
}
Task<Result<std::optional<Payload>>> Stream::read() { return core_->read(); }
Task<Result<void>> Stream::write(Payload chunk) { return core_->write(std::move(chunk)); }
Result<void> Stream::end_writes() { return core_->end_writes(); }
Task<Result<Payload>> Stream::result() { return core_->result(); }

}  // namespace weft::calls
