// Memory of envelopes: freed by one thread, used again by another, without a lock a message. Private to actor.
//
// Magazines and a depot (after Bonwick and Adams, "Magazines and Vmem", 2001): a thread's cache of a size class gives
// and takes blocks without a lock, and exchanges whole batches with the depot when it is empty or has two of them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_PLAIN_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_PLAIN_HEAP 1
#endif
#endif

namespace weft::actor::memory {

/// Blocks of 64, 128, … 512 bytes are of class 1, 2, … 8; what is larger comes from the heap: class 0.
inline constexpr std::size_t kStep = 64, kClasses = 8;
constexpr std::uint8_t class_of(std::size_t size) noexcept {
  return size > kStep * kClasses ? std::uint8_t{0} : static_cast<std::uint8_t>((size + kStep - 1) / kStep);
}

namespace detail {
inline constexpr std::uint32_t kBatch = 64;
struct Block {
  Block* next;
  Block* next_batch;
};
struct Magazine {
  Block* first;         // in use
  Block* spare;         // a whole batch, or null
  std::uint32_t count;  // of first
};
inline thread_local constinit std::array<Magazine, kClasses + 1> t_magazines
    __attribute__((tls_model("initial-exec"))){};

void* from_heap(std::size_t size);
void to_heap(void* block) noexcept;
void* refill(std::size_t block_class);                             ///< of an empty magazine; gives its first block
void spill(Magazine& magazine, std::size_t block_class) noexcept;  ///< makes room in a full one
}  // namespace detail

/// A block of that class; `size` matters for class 0. Aligned to 16. Throws std::bad_alloc. Thread-safe.
inline void* allocate(std::uint8_t block_class, std::size_t size) {
#ifdef WEFT_PLAIN_HEAP
  (void)block_class;
  return detail::from_heap(size);
#else
  if (block_class == 0) return detail::from_heap(size);
  auto& magazine = detail::t_magazines[block_class];
  detail::Block* block = magazine.first;
  if (!block) return detail::refill(block_class);
  magazine.first = block->next;
  __builtin_prefetch(magazine.first, 1);  // a busy sender would otherwise wait for each block
  --magazine.count;
  return block;
#endif
}

inline void release(void* memory, std::uint8_t block_class) noexcept {
#ifdef WEFT_PLAIN_HEAP
  (void)block_class;
  detail::to_heap(memory);
#else
  if (block_class == 0) return detail::to_heap(memory);
  auto& magazine = detail::t_magazines[block_class];
  if (magazine.count == detail::kBatch) detail::spill(magazine, block_class);
  auto* block = static_cast<detail::Block*>(memory);
  block->next = magazine.first;
  magazine.first = block;
  ++magazine.count;
#endif
}

}  // namespace weft::actor::memory
