#include "weft/net/outbox.hpp"

#include <algorithm>

namespace weft::net {

void Outbox::append(const wire::Header& header, std::string_view name, BytesView extension, BytesView payload) {
  const bool detached = (header.flags & wire::kFlagDetached) != 0;
  const std::size_t size = wire::encoded_size(name, extension, detached ? 0 : payload.size());
  if (count_ == 0) {
    const auto prefix = as_bytes(prefix_);
    open_.assign(prefix.begin(), prefix.end());
  } else if (count_ == 1) {  // the second envelope makes it a batch: room for the batch's header
    open_.insert(open_.begin() + static_cast<std::ptrdiff_t>(prefix_.size()), wire::kHeaderSize, std::byte{0});
  }
  const std::size_t at = open_.size();
  open_.resize(at + size);
  wire::encode(header, name, extension, payload, std::span(open_).subspan(at));
  ++count_;
}

void Outbox::finish_batch() {
  if (count_ < 2) return;
  const std::size_t at = prefix_.size();
  const BytesView payload = BytesView(open_).subspan(at + wire::kHeaderSize);
  wire::Header header;
  header.kind = wire::Kind::batch;
  Bytes head(wire::kHeaderSize);
  header.flags = wire::kFlagDetached;  // only to have the size written without a copy of the payload
  wire::encode(header, {}, {}, payload, head);
  head[4] = std::byte{0};
  std::copy(head.begin(), head.end(), open_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Outbox::close_open() {
  if (count_ == 0) return;
  closed_bytes_ += open_.size();
  closed_count_ += count_;
  closed_.push_back({std::move(open_), {}, false, 0, count_});
  open_ = {};
  count_ = 0;
}

void Outbox::add(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload) {
  if (payload.size() <= kDetachBytes) {
    if (count_ > 0 && open_.size() + wire::encoded_size(name, extension, payload.size()) > kBatchBytes) {
      finish_batch();
      close_open();
    }
    append(header, name, extension, payload);
    return;
  }
  finish_batch();
  close_open();
  wire::Header detached = header;
  detached.flags |= wire::kFlagDetached;
  append(detached, name, extension, payload);
  Frame frame{std::move(open_), std::move(payload), true, 0, 1};
  frame.second_size = frame.second.size();
  open_ = {};
  count_ = 0;
  closed_bytes_ += frame.size();
  ++closed_count_;
  closed_.push_back(std::move(frame));
}

void Outbox::clear() noexcept {
  open_.clear();
  count_ = 0;
  closed_.clear();
  closed_bytes_ = 0;
  closed_count_ = 0;
}

}  // namespace weft::net
