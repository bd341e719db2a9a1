// Span: one piece of work in one process, as a value of fixed size, and the W3C trace context that joins the spans of
// several processes. Values; no clock, no randomness.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::observe {

using TraceId = std::array<std::uint8_t, 16>;  ///< all zero: no trace
using SpanId = std::array<std::uint8_t, 8>;    ///< all zero: no span

/// What travels from span to span.
using SpanContext = TraceContext;

std::string to_hex(const TraceId& id);  ///< 32 digits in lower case
std::string to_hex(const SpanId& id);   ///< 16 digits
/// 32 digits; all zero is refused. Errors: `bad_value`.
Result<TraceId> trace_id_from(std::string_view hex);
/// "00-<trace id>-<span id>-<flags>", as www.w3.org/TR/trace-context says.
std::string to_traceparent(const SpanContext& context);
/// Reads what anybody may have sent. A later version is read as far as it is known, as W3C asks for. Errors:
/// `bad_value`.
Result<SpanContext> traceparent_from(std::string_view text);

/// A message: the number that its sender gave it. For people: "9f86d081884c7d65-4294967297".
struct MessageId {
  std::uint64_t id = 0;      ///< correlation or sequence in the envelope's header
  std::uint64_t sender = 0;  ///< Ulid::short_id() of the sending instance; 0: unknown, and left out of the text
  friend bool operator==(const MessageId&, const MessageId&) = default;
};
std::string to_text(const MessageId& message);
/// With or without a sender. Errors: `bad_value`.
Result<MessageId> message_id_from(std::string_view text);

/// As OTLP numbers them.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };
std::string_view to_string(SpanKind kind) noexcept;

/// Work that is over, or that was not done. `name`, `peer` and `note` are numbers of Tracer::name().
struct Span {
  SpanContext context;
  SpanId parent{};
  SpanKind kind = SpanKind::internal;
  std::uint16_t error = 0;    ///< the number of its code: 2003; kOwnError for a code that is none of ours; 0: fine
  std::uint16_t attempt = 1;  ///< of a call that is tried again
  std::uint32_t name = 0, peer = 0;
  std::uint32_t note = 0;        ///< of a client: why this peer; of others: why the handler did not get the message
  std::uint32_t candidates = 0;  ///< of a client: among how many the peer was chosen
  std::uint64_t message_id = 0;  ///< correlation or sequence in the envelope's header
  std::uint64_t sender = 0;      ///< Ulid::short_id() of who sent that envelope; 0: it was not sent
  TimePoint begin{};
  Duration duration{};
  Duration queue{};  ///< of `duration`: waiting in this process before the work began
  Duration wire{};   ///< of `duration`: on the way there and back, as far as it is known
};
inline constexpr std::uint16_t kOwnError = 0xffff;
/// "WEFT-2003" is 2003.
std::uint16_t error_number(std::string_view code) noexcept;
inline std::uint16_t error_number(const Error& error) noexcept { return error_number(error.code); }
/// "WEFT-2003", "own code", or "".
std::string error_text(std::uint16_t number);

}  // namespace weft::observe
