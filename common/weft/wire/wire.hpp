// The door of wire: the envelope, the unit that travels between processes. Pure: no sockets, no clock. docs/protocol.md
// is the grammar, tests/data/wire/ has vectors for clients in other languages.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::wire {

enum class Kind : std::uint8_t {
  request = 1,
  reply = 2,
  error = 3,
  event = 4,
  cancel = 5,
  credit = 6,
  heartbeat = 7,
  batch = 8,
  chunk = 9,  ///< a piece of a stream, in either direction, under the id of its call
};
enum class Encoding : std::uint8_t { raw = 0, msgpack = 1, json = 2 };
std::string_view to_string(Kind kind) noexcept;
std::string_view to_string(Encoding encoding) noexcept;

inline constexpr std::uint16_t kMagic = 0x4657;  ///< "WF" on the wire
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kHeaderSize = 64;
inline constexpr std::uint8_t kFlagDetached = 0x01;  ///< the payload is the next frame, not in this one
inline constexpr std::uint8_t kFlagEnd = 0x02;       ///< chunk: the last of the caller's stream; may be empty
inline constexpr std::uint8_t kFlagsKnown = kFlagDetached | kFlagEnd;
inline constexpr std::size_t kNameMax = 255;  ///< bytes

/// What decode() refuses. A payload or frame over the limit is refused before anything is allocated for it.
struct Limits {
  std::size_t payload_max = 16 * 1024 * 1024;  ///< bytes
  std::uint8_t depth_max = 32;                 ///< calls made on behalf of calls
};

struct Header {
  Kind kind = Kind::request;
  std::uint8_t flags = 0;
  Encoding encoding = Encoding::raw;
  std::uint8_t depth = 0;
  std::uint32_t deadline_us = 0;  ///< what remains of the caller's budget; 0: no deadline
  std::uint64_t id =
      0;  ///< request, reply, error, cancel, credit: correlation; event, heartbeat: sequence in its topic
  TraceContext trace;
  std::uint64_t sender = 0;  ///< Ulid::short_id() of the sending instance
  std::uint32_t epoch = 0;   ///< of the sending instance; 0 if it has no epoch
  std::uint8_t priority = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

/// Further headers, of those that not every envelope has. A MessagePack map on the wire; what is absent there is empty
/// here, keys that this version does not know are skipped. Borrows what it was decoded from.
struct Extension {
  std::uint32_t sent_us = 0;  ///< "t": the sender's monotonic clock when it sent, microseconds, wrapping; 0: unknown
  std::uint32_t window = 0;   ///< "w": request: bytes of chunks that the caller takes before it gives credit
  std::uint64_t cause = 0;    ///< "b": id of the message on whose behalf this one is sent
  std::string_view key;       ///< "k": idempotency key
  std::string_view schema;    ///< "s": name of the payload's schema
  BytesView chain;            ///< "c": the calls that wait for this one; see append_link()
  BytesView headers;          ///< "h": the MessagePack map of the user's own headers, text to text
  bool empty() const noexcept {
    return sent_us == 0 && window == 0 && cause == 0 && key.empty() && schema.empty() && chain.empty() &&
           headers.empty();
  }
};
inline constexpr std::size_t kExtensionMax = 65535;  ///< bytes, encoded
inline constexpr std::size_t kStampSize = 8;         ///< bytes of an extension that holds sent_us only

/// Replaces what `out` holds. Errors: `too_large` over kExtensionMax.
Result<void> encode(const Extension& extension, Bytes& out);
/// The same for an extension that holds sent_us only.
void encode_stamp(std::uint32_t sent_us, std::span<std::byte, kStampSize> out) noexcept;
/// Errors: `bad_envelope`.
Result<Extension> decode_extension(BytesView bytes);

/// One call that waits for another: the waiting agent and the method it waits in.
struct ChainLink {
  std::uint64_t instance = 0;  ///< Ulid::short_id()
  std::string_view method;     ///< "agent.method"
};
/// At the end of a chain, outermost first: 8 bytes of instance, one of length, the name.
void append_link(Bytes& chain, const ChainLink& link);
/// Calls `on_link` for each; false when the chain is malformed.
template <class OnLink>
bool walk_chain(BytesView chain, OnLink&& on_link) {
  while (!chain.empty()) {
    if (chain.size() < 9) return false;
    ChainLink link;
    std::memcpy(&link.instance, chain.data(), 8);
    const auto size = static_cast<std::size_t>(chain[8]);
    if (chain.size() < 9 + size) return false;
    link.method = as_text(chain.subspan(9, size));
    on_link(link);
    chain = chain.subspan(9 + size);
  }
  return true;
}

/// Borrows the frame it was decoded from.
struct EnvelopeView {
  Header header;
  std::string_view name;       ///< request: "agent.method"; event: its topic; else empty
  BytesView extension;         ///< MessagePack map of further headers; may be empty
  BytesView payload;           ///< empty when detached
  std::uint32_t payload_size;  ///< also when detached
  std::uint64_t next_id = 0;   ///< of the envelope behind it in the same frame, unchecked; 0 if it is the last
};

/// Bytes that one envelope takes in its first frame.
std::size_t encoded_size(std::string_view name, BytesView extension, std::size_t inline_payload) noexcept;
/// Writes into `out`, which has encoded_size() bytes. With kFlagDetached set `payload` is only measured, not copied.
/// Names are at most 255 bytes, extensions at most 65535 (the caller's duty; asserted).
void encode(const Header& header, std::string_view name, BytesView extension, BytesView payload,
            std::span<std::byte> out);
Bytes encode(const Header& header, std::string_view name, BytesView payload);

/// Decodes one envelope at the start of `bytes`, and says how long it was. Errors: `bad_envelope`, `wrong_version`,
/// `too_large`.
struct Decoded {
  EnvelopeView envelope;
  std::size_t size;
};
Result<Decoded> decode_first(BytesView bytes, const Limits& limits);
/// Decodes exactly one envelope; trailing bytes are an error.
Result<EnvelopeView> decode(BytesView frame, const Limits& limits);

/// Walks the envelopes packed in the payload of a `batch`. A batch in a batch is refused.
class BatchReader {
 public:
  BatchReader(BytesView payload, const Limits& limits) : rest_(payload), limits_(limits) {}
  bool done() const noexcept { return rest_.empty(); }
  Result<EnvelopeView> next();

 private:
  BytesView rest_;
  Limits limits_;
};

/// The body of an `error` envelope: a MessagePack map.
Bytes encode_error(const Error& error);
/// Never fails: what cannot be read becomes an `internal` error that says so.
Error decode_error(const EnvelopeView& envelope);

}  // namespace weft::wire
