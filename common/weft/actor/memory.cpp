#include "weft/actor/memory.hpp"

#include <mutex>
#include <new>
#include <vector>

namespace weft::actor::memory {
namespace {

using detail::Block;
using detail::kBatch;

constexpr std::size_t kSlab = 64 * 1024;

class Depot {
 public:
  /// A batch of kBatch blocks.
  Block* take(std::size_t block_class) {
    const std::lock_guard lock(mutex_);
    if (Block* batch = full_[block_class]) {
      full_[block_class] = batch->next_batch;
      return batch;
    }
    return carve(block_class * kStep);
  }
  void give(std::size_t block_class, Block* batch) noexcept {
    const std::lock_guard lock(mutex_);
    batch->next_batch = full_[block_class];
    full_[block_class] = batch;
  }
  /// Blocks of a thread that ends: they are less than a batch.
  void give_loose(std::size_t block_class, Block* first) noexcept {
    const std::lock_guard lock(mutex_);
    while (first) {
      Block* next = first->next;
      first->next = loose_[block_class];
      loose_[block_class] = first;
      first = next;
      if (++loose_count_[block_class] == kBatch) {
        loose_[block_class]->next_batch = full_[block_class];
        full_[block_class] = loose_[block_class];
        loose_[block_class] = nullptr;
        loose_count_[block_class] = 0;
      }
    }
  }

 private:
  Block* carve(std::size_t size) {
    Block* first = nullptr;
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (static_cast<std::size_t>(end_ - next_) < size) refill();
      auto* block = reinterpret_cast<Block*>(next_);
      next_ += size;
      block->next = first;
      first = block;
    }
    return first;
  }
  void refill() {
    next_ = static_cast<std::byte*>(::operator new(kSlab, std::align_val_t(kStep)));
    end_ = next_ + kSlab;
    slabs_.push_back(next_);
  }

  std::mutex mutex_;
  std::array<Block*, kClasses + 1> full_{}, loose_{};
  std::array<std::size_t, kClasses + 1> loose_count_{};
  std::byte *next_ = nullptr, *end_ = nullptr;
  std::vector<std::byte*> slabs_;  // reachable, so that leak checkers see what is in use
};

/// Never destroyed: threads may end after static objects.
Depot& depot() {
  static Depot& forever = *new Depot;
  return forever;
}

/// Gives the magazines of a thread that ends to the depot. Made by the first refill or spill of a thread.
struct Farewell {
  bool known = false;
  ~Farewell() {
    for (std::size_t i = 1; i <= kClasses; ++i) {
      auto& magazine = detail::t_magazines[i];
      if (magazine.spare) depot().give(i, magazine.spare);
      depot().give_loose(i, magazine.first);
      magazine = {};
    }
  }
};
thread_local Farewell t_farewell;

}  // namespace

namespace detail {

void* from_heap(std::size_t size) { return ::operator new(size); }
void to_heap(void* block) noexcept { ::operator delete(block); }

void* refill(std::size_t block_class) {
  t_farewell.known = true;
  auto& magazine = t_magazines[block_class];
  Block* batch = magazine.spare ? magazine.spare : depot().take(block_class);
  magazine = {batch->next, nullptr, kBatch - 1};
  return batch;
}

void spill(Magazine& magazine, std::size_t block_class) noexcept {
  t_farewell.known = true;
  if (magazine.spare) depot().give(block_class, magazine.spare);
  magazine = {nullptr, magazine.first, 0};
}

}  // namespace detail
}  // namespace weft::actor::memory
