#include "weft/base/task.hpp"

#include <array>
#include <new>

namespace weft::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kKept = 0;  // so that a frame that is used after its end is found
#else
constexpr std::size_t kKept = 64;  // of each size
#endif
constexpr std::size_t kStep = 64, kSizes = 48;  // up to 3 KiB; larger ones are not kept

struct Free {
  Free* next;
};
struct Shelf {
  Free* first = nullptr;
  std::size_t count = 0;
};
thread_local bool closed = false;  // the thread is ending: its shelves no longer exist
struct Shelves {
  std::array<Shelf, kSizes> sizes;
  ~Shelves() {
    closed = true;
    for (Shelf& shelf : sizes) {
      while (Free* frame = shelf.first) {
        shelf.first = frame->next;
        ::operator delete(frame);
      }
    }
  }
};
thread_local Shelves shelves;

std::size_t index_of(std::size_t size) noexcept { return (size - 1) / kStep; }

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = index_of(size);
  if (index >= kSizes || closed) return ::operator new(size);
  Shelf& shelf = shelves.sizes[index];
  if (!shelf.first) return ::operator new((index + 1) * kStep);
  --shelf.count;
  return std::exchange(shelf.first, shelf.first->next);
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = index_of(size);
  if (index >= kSizes || closed || shelves.sizes[index].count >= kKept) return ::operator delete(frame);
  Shelf& shelf = shelves.sizes[index];
  shelf.first = new (frame) Free{shelf.first};
  ++shelf.count;
}

}  // namespace weft::detail
