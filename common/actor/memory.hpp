// Memory of envelopes and cells: freed by one thread, used again by another, without a lock a message. Private to
// actor.
#pragma once
#include <cstddef>
#include <cstdint>

namespace weft::actor::memory {

inline constexpr std::size_t kBlockMax = 512;  ///< what is larger comes from the heap

/// At least `size` bytes, aligned to 16. Throws std::bad_alloc. Thread-safe: each thread has a small cache of its own;
/// caches exchange whole batches, so a thread that only frees feeds one that only allocates.
void* allocate(std::size_t size);
/// `size` as it was asked for.
void release(void* block, std::size_t size) noexcept;

}  // namespace weft::actor::memory
