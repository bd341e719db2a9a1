// StreamCore: what a stream holds between the wire and whoever reads and writes: chunks, credit, how it ended. Private
// to calls.
#pragma once
#include <deque>

#include "weft/calls/stream.hpp"

namespace weft::calls {

class StreamCore : public std::enable_shared_from_this<StreamCore> {
 public:
  StreamCore(Loop& loop, std::uint32_t window, Duration idle)
      : loop_(loop), window_(std::max(window, 1u)), idle_(idle) {}
  virtual ~StreamCore() = default;

  Task<Result<std::optional<Payload>>> read();
  Task<Result<void>> write(Payload chunk);
  Result<void> end_writes();
  Task<Result<Payload>> result();
  /// Its Stream has gone.
  virtual void abandon() noexcept {}

 protected:
  /// Of kind chunk (with kFlagEnd: the last), credit or heartbeat.
  virtual Result<void> send(wire::Kind kind, std::uint8_t flags, Payload& payload) = 0;
  /// The protocol was violated, or somebody waited too long: the other end is told to stop, and fail() called.
  virtual void break_off(Error error) = 0;

  // What comes from the wire.
  void take_chunk(const wire::EnvelopeView& envelope);
  void take_credit(const wire::EnvelopeView& envelope);
  /// The other end's last word; what it sent before is still read.
  void finish(Result<Payload> outcome);
  /// Nothing more comes or goes.
  void fail(Error error);

  /// The other end may send so much more.
  void grant(std::uint32_t bytes);
  /// What the request itself granted.
  void grant_first() noexcept { balance_ = window_; }
  void may_send(std::uint32_t bytes) noexcept { credit_ += bytes; }
  void expects_chunks(bool yes) noexcept { read_ended_ = !yes; }
  void may_write(bool yes) noexcept { write_ended_ = !yes; }
  std::uint32_t window() const noexcept { return window_; }
  bool over() const noexcept { return outcome_.has_value(); }
  Loop& loop() noexcept { return loop_; }

 private:
  class Wait;
  void wake(std::coroutine_handle<>& waiter);
  void consumed(std::size_t bytes);
  const Error* failure() const noexcept { return outcome_ && !*outcome_ ? &outcome_->error() : nullptr; }

  Loop& loop_;
  const std::uint32_t window_;
  const Duration idle_;
  std::deque<Payload> chunks_;
  std::int64_t balance_ = 0;    // bytes that the other end may still send
  std::uint64_t consumed_ = 0;  // credit for what was read since it was given last
  std::int64_t credit_ = 0;     // bytes that this end may still send; the last chunk may make it negative
  bool read_ended_ = false, write_ended_ = false, discard_ = false;
  std::optional<Result<Payload>> outcome_;
  std::coroutine_handle<> reader_, writer_, finisher_;
};

}  // namespace weft::calls
