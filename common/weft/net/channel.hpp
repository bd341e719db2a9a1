// Channel: packs the envelopes of one topic into frames. Pure but for the buffers, which go on to ZeroMQ. Private to
// net.
#pragma once
#include <zmq.hpp>

#include "weft/net/frame_buffer.hpp"
#include "weft/net/net.hpp"

namespace weft::net {

struct Channel {
  explicit Channel(std::string_view topic) : prefix(std::string(topic) + '\0') {}

  bool empty() const noexcept { return count == 0; }
  bool fits(std::size_t envelope) const noexcept { return count == 0 || used + envelope <= kBatchBytes; }
  /// The caller has seen that it fits.
  void append(const wire::Header& header, std::string_view name, BytesView extension, BytesView payload,
              FrameBuffer::Home& home);
  /// The frame that is packed so far, which is empty then.
  zmq::message_t take(const std::shared_ptr<FrameBuffer::Home>& home);
  /// Remembers where a loss may have begun.
  void mark(std::uint64_t sequence);

  std::string prefix;  ///< topic NUL
  Bytes small;         ///< prefix, room for a batch's header, envelopes; or `large` holds the same
  std::unique_ptr<FrameBuffer> large;
  std::size_t used = 0, count = 0;
  std::uint64_t first = 0;  ///< sequence of the first event of the frame
  std::vector<std::uint64_t> marks;
  std::uint64_t refusals_seen = 0, filters_seen = 0;
  bool wanted = false, waiting = false;

 private:
  std::byte* bytes() noexcept { return large ? large->bytes.data() : small.data(); }
};

}  // namespace weft::net
