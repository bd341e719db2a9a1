#include "weft/net/channel.hpp"

#include <cstring>

namespace weft::net {
namespace {

constexpr std::size_t kSmall =
    4 * 1024;  // a frame over this moves to a buffer of its own: thousands of topics may wait

void write_batch_header(std::byte* at, BytesView payload) {
  wire::Header header;
  header.kind = wire::Kind::batch;
  header.flags = wire::kFlagDetached;  // only to have the size written without a copy of the payload
  wire::encode(header, {}, {}, payload, std::span(at, wire::kHeaderSize));
  at[4] = std::byte{0};
}

}  // namespace

void Channel::append(const wire::Header& header, std::string_view name, BytesView extension, BytesView payload,
                     FrameBuffer::Home& home) {
  const bool detached = (header.flags & wire::kFlagDetached) != 0;
  const std::size_t size = wire::encoded_size(name, extension, detached ? 0 : payload.size());
  if (count == 0) {
    used = prefix.size() + wire::kHeaderSize;
    if (small.size() < used) small.resize(used);
    std::memcpy(small.data(), prefix.data(), prefix.size());
    first = header.kind == wire::Kind::event ? header.id : header.id + 1;
  }
  if (!large && used + size > kSmall) {
    large = home.take();
    std::memcpy(large->bytes.data(), small.data(), used);
  }
  if (!large && small.size() < used + size) small.resize(std::max(used + size, std::min(small.size() * 2, kSmall)));
  wire::encode(header, name, extension, payload, std::span(bytes() + used, size));
  used += size;
  ++count;
}

zmq::message_t Channel::take(const std::shared_ptr<FrameBuffer::Home>& home) {
  std::byte* begin = bytes();
  std::size_t size = used;
  if (count == 1) {  // no batch: the prefix moves up to the envelope
    begin += wire::kHeaderSize;
    size -= wire::kHeaderSize;
    std::memcpy(begin, prefix.data(), prefix.size());
  } else {
    const std::size_t head = prefix.size() + wire::kHeaderSize;
    write_batch_header(begin + prefix.size(), BytesView(begin + head, used - head));
  }
  used = count = 0;
  if (!large) return zmq::message_t(begin, size);
  if (size < FrameBuffer::size / 4) {  // it may wait for a slow subscriber: not with a whole buffer
    zmq::message_t copy(begin, size);
    home->keep(std::move(large));
    return copy;
  }
  FrameBuffer* buffer = large.release();
  buffer->home = home;
  zmq::message_t frame(begin, size, FrameBuffer::Home::free, buffer);
  buffer->handed_over.store(true, std::memory_order_release);
  return frame;
}

void Channel::mark(std::uint64_t sequence) {
  if (!marks.empty() && marks.back() == sequence) return;
  if (marks.size() >= kMarksMax) marks.erase(marks.begin(), marks.begin() + kMarksMax / 2);
  marks.push_back(sequence);
}

}  // namespace weft::net
