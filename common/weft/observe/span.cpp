#include "weft/observe/span.hpp"

#include <charconv>

namespace weft::observe {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kCodes = "WEFT-";
constexpr std::size_t kTraceparentSize = 55;

template <std::size_t N>
void append_hex(std::string& out, const std::array<std::uint8_t, N>& bytes) {
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

/// Exactly 2 * N digits in lower case.
template <std::size_t N>
bool read_hex(std::string_view text, std::array<std::uint8_t, N>& out) {
  if (text.size() != 2 * N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    const auto high = kDigits.find(text[2 * i]), low = kDigits.find(text[2 * i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

template <std::size_t N>
std::string hex_of(const std::array<std::uint8_t, N>& id) {
  std::string out;
  append_hex(out, id);
  return out;
}

Error no_traceparent(std::string_view text, std::string_view why) {
  return Error(codes::bad_value,
               "traceparent '" + std::string(text.substr(0, kTraceparentSize)) + "': " + std::string(why),
               "wanted 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case");
}

}  // namespace

std::string to_hex(const TraceId& id) { return hex_of(id); }
std::string to_hex(const SpanId& id) { return hex_of(id); }

Result<TraceId> trace_id_from(std::string_view hex) {
  TraceId out{};
  if (!read_hex(hex, out) || out == TraceId{}) {
    return Error(codes::bad_value, "'" + std::string(hex.substr(0, 40)) + "' is no trace id",
                 "wanted 32 hex digits in lower case, not all 0");
  }
  return out;
}

std::string to_traceparent(const SpanContext& context) {
  std::string out = "00-";
  append_hex(out, context.trace_id);
  out += '-';
  append_hex(out, context.span_id);
  out += '-';
  append_hex(out, std::array{context.flags});
  return out;
}

Result<SpanContext> traceparent_from(std::string_view text) {
  std::array<std::uint8_t, 1> version{}, flags{};
  SpanContext out;
  if (text.size() < kTraceparentSize) return no_traceparent(text, "it is too short");
  if (!read_hex(text.substr(0, 2), version) || version[0] == 0xff) return no_traceparent(text, "it has no version");
  const bool longer = text.size() > kTraceparentSize;
  if (longer && (version[0] == 0 || text[kTraceparentSize] != '-')) return no_traceparent(text, "it is too long");
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return no_traceparent(text, "a '-' is not in its place");
  if (!read_hex(text.substr(3, 32), out.trace_id) || !read_hex(text.substr(36, 16), out.span_id) ||
      !read_hex(text.substr(53, 2), flags))
    return no_traceparent(text, "a digit is none of 0-9 and a-f");
  if (!out.has_trace()) return no_traceparent(text, "the trace id is all 0");
  if (out.span_id == SpanId{}) return no_traceparent(text, "the span id is all 0");
  out.flags = flags[0] & SpanContext::kSampled;  // the others are not defined for us, and must not go on
  return out;
}

std::string to_text(const MessageId& message) {
  std::string out;
  if (message.sender != 0) {
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[message.sender >> shift & 15];
    out += '-';
  }
  return out + std::to_string(message.id);
}

Result<MessageId> message_id_from(std::string_view text) {
  const auto read = [](std::string_view part, int base, std::uint64_t& number) {
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), number, base);
    return failed == std::errc() && end == part.data() + part.size() && number != 0;
  };
  MessageId out;
  const auto dash = text.find('-');
  const bool has_sender = dash != text.npos;
  const std::string_view sender = has_sender ? text.substr(0, dash) : std::string_view();
  const bool good_sender = !has_sender || (sender.size() == 16 && read(sender, 16, out.sender));
  if (good_sender && read(text.substr(has_sender ? dash + 1 : 0), 10, out.id)) return out;
  return Error(codes::bad_value, "'" + std::string(text.substr(0, 64)) + "' is no message id",
               "wanted the sender's 16 hex digits, '-', and a number, such as 9f86d081884c7d65-4294967297");
}

std::string_view to_string(SpanKind kind) noexcept {
  switch (kind) {
    case SpanKind::internal:
      return "internal";
    case SpanKind::server:
      return "server";
    case SpanKind::client:
      return "client";
    case SpanKind::producer:
      return "producer";
    case SpanKind::consumer:
      return "consumer";
  }
  return "internal";
}

std::uint16_t error_number(std::string_view code) noexcept {
  std::uint16_t number = 0;
  if (!code.starts_with(kCodes)) return kOwnError;
  const auto [end, failed] = std::from_chars(code.data() + kCodes.size(), code.data() + code.size(), number);
  return failed == std::errc() && end == code.data() + code.size() && number != 0 ? number : kOwnError;
}

std::string error_text(std::uint16_t number) {
  if (number == 0) return {};
  return number == kOwnError ? "own code" : std::string(kCodes) + std::to_string(number);
}

}  // namespace weft::observe
