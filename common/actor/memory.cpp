// Magazines and a depot (after Bonwick and Adams, "Magazines and Vmem", 2001): a thread's cache of a size class gives
// and takes blocks without a lock, and exchanges whole batches with the depot when it is empty or has two of them.
#include "weft/actor/memory.hpp"

#include <array>
#include <mutex>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_PLAIN_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_PLAIN_HEAP 1
#endif
#endif

namespace weft::actor::memory {
namespace {

constexpr std::size_t kStep = 64, kClasses = kBlockMax / kStep;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSlab = 64 * 1024;

struct Block {
  Block* next;
  Block* next_batch;
};

class Depot {
 public:
  /// A batch of kBatch blocks.
  Block* take(std::size_t size_class) {
    const std::lock_guard lock(mutex_);
    if (Block* batch = full_[size_class]) {
      full_[size_class] = batch->next_batch;
      return batch;
    }
    return carve((size_class + 1) * kStep);
  }
  void give(std::size_t size_class, Block* batch) noexcept {
    const std::lock_guard lock(mutex_);
    batch->next_batch = full_[size_class];
    full_[size_class] = batch;
  }
  /// Blocks of a thread that ends: they are less than a batch.
  void give_loose(std::size_t size_class, Block* first) noexcept {
    const std::lock_guard lock(mutex_);
    while (first) {
      Block* next = first->next;
      first->next = loose_[size_class];
      loose_[size_class] = first;
      first = next;
      if (++loose_count_[size_class] == kBatch) {
        loose_[size_class]->next_batch = full_[size_class];
        full_[size_class] = loose_[size_class];
        loose_[size_class] = nullptr;
        loose_count_[size_class] = 0;
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
  std::array<Block*, kClasses> full_{}, loose_{};
  std::array<std::size_t, kClasses> loose_count_{};
  std::byte *next_ = nullptr, *end_ = nullptr;
  std::vector<std::byte*> slabs_;  // reachable, so that leak checkers see what is in use
};

/// Never destroyed: threads may end after static objects.
Depot& depot() {
  static Depot& forever = *new Depot;
  return forever;
}

struct Cache {
  struct Magazine {
    Block* first = nullptr;  // in use
    Block* spare = nullptr;  // a whole batch, or none
    std::size_t count = 0;   // of first
  };
  std::array<Magazine, kClasses> magazines{};

  ~Cache() {
    for (std::size_t i = 0; i < kClasses; ++i) {
      if (magazines[i].spare) depot().give(i, magazines[i].spare);
      depot().give_loose(i, magazines[i].first);
      magazines[i] = {};
    }
  }
};

thread_local Cache t_cache;

}  // namespace

void* allocate(std::size_t size) {
#ifdef WEFT_PLAIN_HEAP
  return ::operator new(size);
#else
  if (size > kBlockMax) return ::operator new(size);
  const std::size_t size_class = (size - 1) / kStep;
  auto& magazine = t_cache.magazines[size_class];
  if (!magazine.first) {
    magazine.first = magazine.spare ? magazine.spare : depot().take(size_class);
    magazine.spare = nullptr;
    magazine.count = kBatch;
  }
  Block* block = magazine.first;
  magazine.first = block->next;
  --magazine.count;
  return block;
#endif
}

void release(void* memory, [[maybe_unused]] std::size_t size) noexcept {
#ifdef WEFT_PLAIN_HEAP
  ::operator delete(memory);
#else
  if (size > kBlockMax) return ::operator delete(memory);
  const std::size_t size_class = (size - 1) / kStep;
  auto& magazine = t_cache.magazines[size_class];
  if (magazine.count == kBatch) {
    if (magazine.spare) depot().give(size_class, magazine.spare);
    magazine.spare = magazine.first;
    magazine.first = nullptr;
    magazine.count = 0;
  }
  auto* block = static_cast<Block*>(memory);
  block->next = magazine.first;
  magazine.first = block;
  ++magazine.count;
#endif
}

}  // namespace weft::actor::memory
