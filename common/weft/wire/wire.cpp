// The envelope codec. Layout (little-endian), see docs/protocol.md:
//  0 magic u16 | 2 version u8 | 3 kind u8 | 4 flags u8 | 5 encoding u8 | 6 depth u8 | 7 name length u8
//  8 payload length u32 | 12 deadline us u32 | 16 id u64 | 24 trace id 16 B | 40 span id 8 B | 48 sender u64
// 56 epoch u32 | 60 trace flags u8 | 61 priority u8 | 62 extension length u16 | 64 name, extension, payload
#include "weft/wire/wire.hpp"

#include <bit>
#include <cassert>
#include <cstring>

namespace weft::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "the codec copies integers as they lie in memory");

template <class T>
void put(std::byte* at, T value) noexcept {
  std::memcpy(at, &value, sizeof value);
}
template <class T>
T get(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
void append(std::byte*& at, BytesView bytes) noexcept {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  at += bytes.size();
}

Error bad(std::string text) { return Error(codes::bad_envelope, std::move(text)); }

Result<void> check_fixed(const std::byte* at) {
  if (get<std::uint16_t>(at) != kMagic) return bad("no envelope: it does not begin with 'WF'");
  if (const auto version = get<std::uint8_t>(at + 2); version != kVersion) {
    return Error(codes::wrong_version, "the envelope has version " + std::to_string(version) +
                                           ", this program speaks version " + std::to_string(kVersion));
  }
  const auto kind = get<std::uint8_t>(at + 3);
  if (kind < static_cast<std::uint8_t>(Kind::request) || kind > static_cast<std::uint8_t>(Kind::chunk)) {
    return bad("unknown kind " + std::to_string(kind));
  }
  if (const auto flags = get<std::uint8_t>(at + 4); (flags & ~kFlagsKnown) != 0)
    return bad("unknown flags " + std::to_string(flags));
  if (const auto encoding = get<std::uint8_t>(at + 5); encoding > static_cast<std::uint8_t>(Encoding::json)) {
    return bad("unknown payload encoding " + std::to_string(encoding));
  }
  return {};
}

Header read_header(const std::byte* at) noexcept {
  Header header;
  header.kind = static_cast<Kind>(get<std::uint8_t>(at + 3));
  header.flags = get<std::uint8_t>(at + 4);
  header.encoding = static_cast<Encoding>(get<std::uint8_t>(at + 5));
  header.depth = get<std::uint8_t>(at + 6);
  header.deadline_us = get<std::uint32_t>(at + 12);
  header.id = get<std::uint64_t>(at + 16);
  std::memcpy(header.trace.trace_id.data(), at + 24, 16);
  std::memcpy(header.trace.span_id.data(), at + 40, 8);
  header.sender = get<std::uint64_t>(at + 48);
  header.epoch = get<std::uint32_t>(at + 56);
  header.trace.flags = get<std::uint8_t>(at + 60);
  header.priority = get<std::uint8_t>(at + 61);
  return header;
}

struct ErrorBody {
  std::string kind, code, name, message, hint;
  WEFT_FIELDS(ErrorBody, kind, code, name, message, hint)
};

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  constexpr std::string_view kNames[] = {"?",      "request", "reply",     "error", "event",
                                         "cancel", "credit",  "heartbeat", "batch", "chunk"};
  return kNames[static_cast<std::size_t>(kind) < std::size(kNames) ? static_cast<std::size_t>(kind) : 0];
}

std::string_view to_string(Encoding encoding) noexcept {
  constexpr std::string_view kNames[] = {"raw", "msgpack", "json", "?"};
  return kNames[static_cast<std::size_t>(encoding) < 3 ? static_cast<std::size_t>(encoding) : 3];
}

std::size_t encoded_size(std::string_view name, BytesView extension, std::size_t inline_payload) noexcept {
  return kHeaderSize + name.size() + extension.size() + inline_payload;
}

void encode(const Header& header, std::string_view name, BytesView extension, BytesView payload,
            std::span<std::byte> out) {
  const bool detached = (header.flags & kFlagDetached) != 0;
  assert(name.size() <= 255 && extension.size() <= 65535);
  assert(out.size() == encoded_size(name, extension, detached ? 0 : payload.size()));
  std::byte* at = out.data();
  put(at, kMagic);
  put(at + 2, kVersion);
  put(at + 3, header.kind);
  put(at + 4, header.flags);
  put(at + 5, header.encoding);
  put(at + 6, header.depth);
  put(at + 7, static_cast<std::uint8_t>(name.size()));
  put(at + 8, static_cast<std::uint32_t>(payload.size()));
  put(at + 12, header.deadline_us);
  put(at + 16, header.id);
  std::memcpy(at + 24, header.trace.trace_id.data(), 16);
  std::memcpy(at + 40, header.trace.span_id.data(), 8);
  put(at + 48, header.sender);
  put(at + 56, header.epoch);
  put(at + 60, header.trace.flags);
  put(at + 61, header.priority);
  put(at + 62, static_cast<std::uint16_t>(extension.size()));
  at += kHeaderSize;
  append(at, as_bytes(name));
  append(at, extension);
  if (!detached) append(at, payload);
}

Bytes encode(const Header& header, std::string_view name, BytesView payload) {
  Bytes out(encoded_size(name, {}, (header.flags & kFlagDetached) != 0 ? 0 : payload.size()));
  encode(header, name, {}, payload, out);
  return out;
}

namespace {

/// `size`: of the envelope at the beginning of `bytes`.
Result<void> decode_to(EnvelopeView& envelope, std::size_t& size, BytesView bytes, const Limits& limits) {
  if (bytes.size() < kHeaderSize) {
    return bad("the envelope is cut: " + std::to_string(bytes.size()) + " bytes, a header has " +
               std::to_string(kHeaderSize));
  }
  const std::byte* at = bytes.data();
  if (auto fine = check_fixed(at); !fine) return fine.error();
  envelope.header = read_header(at);
  envelope.payload_size = get<std::uint32_t>(at + 8);
  if (envelope.payload_size > limits.payload_max) {
    return Error(codes::too_large, "a payload of " + std::to_string(envelope.payload_size) +
                                       " bytes is over the limit of " + std::to_string(limits.payload_max));
  }
  if (envelope.header.depth > limits.depth_max) {
    return Error(codes::call_too_deep, "call depth " + std::to_string(envelope.header.depth) +
                                           " is over the limit of " + std::to_string(limits.depth_max));
  }
  const bool detached = (envelope.header.flags & kFlagDetached) != 0;
  if (detached && envelope.header.kind == Kind::batch) return bad("a batch whose payload is detached");
  const std::size_t name = get<std::uint8_t>(at + 7), extension = get<std::uint16_t>(at + 62);
  const std::size_t inline_payload = detached ? 0 : envelope.payload_size;
  size = kHeaderSize + name + extension + inline_payload;
  if (bytes.size() < size) {
    return bad("the envelope is cut: " + std::to_string(bytes.size()) + " bytes of " + std::to_string(size));
  }
  envelope.name = as_text(bytes.subspan(kHeaderSize, name));
  envelope.extension = bytes.subspan(kHeaderSize + name, extension);
  envelope.payload = bytes.subspan(kHeaderSize + name + extension, inline_payload);
  return {};
}

}  // namespace

Result<Decoded> decode_first(BytesView bytes, const Limits& limits) {
  Result<Decoded> out;
  if (auto fine = decode_to(out->envelope, out->size, bytes, limits); !fine) return fine.error();
  return out;
}

Result<EnvelopeView> decode(BytesView frame, const Limits& limits) {
  Result<EnvelopeView> out;
  std::size_t size = 0;
  if (auto fine = decode_to(*out, size, frame, limits); !fine) return fine.error();
  if (size != frame.size()) return bad(std::to_string(frame.size() - size) + " bytes follow the envelope");
  return out;
}

Result<EnvelopeView> BatchReader::next() {
  Result<EnvelopeView> out;
  std::size_t size = 0;
  auto fine = decode_to(*out, size, rest_, limits_);
  if (fine && (out->header.kind == Kind::batch || (out->header.flags & kFlagDetached) != 0))
    fine = bad("a batch holds whole envelopes, no batches and no detached payloads");
  if (!fine) {
    rest_ = {};
    return fine.error();
  }
  rest_ = rest_.subspan(size);
  if (rest_.size() >= kHeaderSize) out->next_id = get<std::uint64_t>(rest_.data() + 16);
  return out;
}

Bytes encode_error(const Error& error) {
  return to_msgpack(
      to_value(ErrorBody{std::string(to_string(error.kind)), error.code, error.name, error.message, error.hint}));
}

Error decode_error(const EnvelopeView& envelope) {
  auto value = from_msgpack(envelope.payload);
  auto body = value ? from_value<ErrorBody>(*value) : Result<ErrorBody>(value.error());
  if (!body) return Error(codes::bad_envelope, "an error reply that cannot be read: " + body.error().message);
  Error error(error_kind_from(body->kind), body->code, body->message);
  error.name = body->name;
  error.hint = body->hint;
  return error;
}

}  // namespace weft::wire
