// FrameBuffer: what a frame is packed into and ZeroMQ sends without a copy. Buffers go back to their owner from
// ZeroMQ's thread: memory that one thread takes and another frees costs more than the packing. Private to net.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "weft/net/outbox.hpp"

namespace weft::net {

struct FrameBuffer {
  static constexpr std::size_t size = kBatchBytes + 1024;  ///< a batch, and room for its head
  class Home;
  std::array<std::byte, size> bytes;
  std::shared_ptr<Home> home;            // only while ZeroMQ has it
  std::atomic<bool> handed_over{false};  // orders our writes before free(), for what cannot see into libzmq's queues
  FrameBuffer* next = nullptr;
};

/// Buffers that came back. give() is thread-safe, take() is its owner's.
class FrameBuffer::Home {
 public:
  static constexpr std::size_t kKeptMax = 32;
  ~Home() {
    for (auto* one = returned_.load(); one;) delete std::exchange(one, one->next);
  }
  std::unique_ptr<FrameBuffer> take() {
    if (kept_.empty()) collect();
    if (kept_.empty()) return std::make_unique<FrameBuffer>();
    auto one = std::move(kept_.back());
    kept_.pop_back();
    return one;
  }
  void keep(std::unique_ptr<FrameBuffer> one) {
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(one));
  }
  /// What came back is kept up to kKeptMax, and else freed: a slow subscriber may have held many.
  void tidy() {
    if (returned_.load(std::memory_order_relaxed)) collect();
  }
  void give(FrameBuffer* one) noexcept {
    one->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(one->next, one, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  /// For zmq_msg_init_data().
  static void free(void*, void* buffer) {
    auto* one = static_cast<FrameBuffer*>(buffer);
    (void)one->handed_over.load(std::memory_order_acquire);
    const auto home = std::move(one->home);  // after the owner's end this is the last hold: the buffer goes with it
    home->give(one);
  }

 private:
  void collect() {
    for (auto* one = returned_.exchange(nullptr, std::memory_order_acquire); one;) {
      std::unique_ptr<FrameBuffer> owned(std::exchange(one, one->next));
      keep(std::move(owned));
    }
  }
  std::atomic<FrameBuffer*> returned_{nullptr};
  std::vector<std::unique_ptr<FrameBuffer>> kept_;
};

}  // namespace weft::net
