#include "weft/net/outbox.hpp"

#include <algorithm>

namespace weft::net {
namespace {

constexpr std::size_t kBuffersKept = 8;
// What frames were packed into, by each thread for its next ones: an idle destination holds none.
thread_local std::vector<Bytes> buffers;

}  // namespace

Bytes Outbox::take_buffer() {
  Bytes buffer;
  if (buffers.empty()) {
    buffer.reserve(wire::kHeaderSize + kBatchBytes);
  } else {
    buffer = std::move(buffers.back());
    buffers.pop_back();
  }
  buffer.resize(wire::kHeaderSize);
  return buffer;
}

void Outbox::give_back(Bytes buffer) noexcept {
  if (buffer.capacity() < kBatchBytes || buffers.size() >= kBuffersKept) return;
  buffer.clear();
  buffers.push_back(std::move(buffer));
}

/// A single envelope is its own frame.
BytesView Outbox::open_frame() {
  const BytesView envelopes = BytesView(open_).subspan(wire::kHeaderSize);
  if (count_ == 1) return envelopes;
  wire::Header header;
  header.kind = wire::Kind::batch;
  header.flags = wire::kFlagDetached;  // only to have the size written without a copy of the payload
  wire::encode(header, {}, {}, envelopes, std::span(open_).first(wire::kHeaderSize));
  open_[4] = std::byte{0};
  return open_;
}

void Outbox::close(Frame frame) {
  closed_bytes_ += frame.size();
  closed_count_ += frame.count;
  closed_.push_back(std::move(frame));
}

void Outbox::close_open() {
  if (count_ == 0) return;
  const BytesView frame = open_frame();
  if (count_ > 1 && frame.size() > kBatchBytes / 2) {
    close({std::move(open_), std::nullopt, 0, count_});
  } else {  // the buffer is far larger
    close({Bytes(frame.begin(), frame.end()), std::nullopt, 0, count_});
  }
  end_open();
}

void Outbox::end_open() noexcept {
  give_back(std::move(open_));
  open_ = {};
  count_ = 0;
}

void Outbox::add(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload) {
  if (payload.size() > kDetachBytes) {
    close_open();
    wire::Header detached = header;
    detached.flags |= wire::kFlagDetached;
    Bytes head(wire::encoded_size(name, extension, 0));
    wire::encode(detached, name, extension, payload, head);
    const std::size_t size = payload.size();
    return close({std::move(head), std::move(payload), size, 1});
  }
  const std::size_t size = wire::encoded_size(name, extension, payload.size());
  if (count_ > 0 && open_.size() + size > kBatchBytes) close_open();
  if (count_ == 0) open_ = take_buffer();
  const std::size_t at = open_.size();
  open_.resize(at + size);
  wire::encode(header, name, extension, payload, std::span(open_).subspan(at));
  ++count_;
}

void Outbox::clear() noexcept {
  if (count_ > 0) end_open();
  closed_.clear();
  closed_bytes_ = 0;
  closed_count_ = 0;
}

}  // namespace weft::net
