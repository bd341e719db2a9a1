// The trace to which the work of this thread belongs just now: what logs, reports, calls and messages to actors take up
// by themselves.
#pragma once
#include <array>
#include <cstdint>
#include <utility>

namespace weft {

/// W3C trace context: what travels from span to span, in envelopes too.
struct TraceContext {
  static constexpr std::uint8_t kSampled = 1;
  std::array<std::uint8_t, 16> trace_id{};  ///< all zero: no trace
  std::array<std::uint8_t, 8> span_id{};    ///< all zero: no span
  std::uint8_t flags = 0;                   ///< W3C: bit 0 sampled
  bool has_trace() const noexcept { return trace_id != std::array<std::uint8_t, 16>{}; }
  bool sampled() const noexcept { return (flags & kSampled) != 0; }
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

namespace detail {
inline constinit thread_local const TraceContext* t_trace = nullptr;
}

/// The trace of the work that runs on this thread, until it waits or returns; null if it has no trace. Borrowed.
inline const TraceContext* current_trace() noexcept { return detail::t_trace; }
inline TraceContext current_trace_or_none() noexcept { return detail::t_trace ? *detail::t_trace : TraceContext(); }

/// While it lives this thread works for `trace`; for none where that is empty. Lives in one function, never over a
/// co_await: what waits keeps a copy, and who resumes it makes a scope of that.
class TraceScope {
 public:
  explicit TraceScope(const TraceContext& trace) noexcept
      : trace_(trace), before_(std::exchange(detail::t_trace, trace_.has_trace() ? &trace_ : nullptr)) {}
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  ~TraceScope() { detail::t_trace = before_; }

 private:
  const TraceContext trace_;
  const TraceContext* const before_;
};

}  // namespace weft
