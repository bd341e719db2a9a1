#include "weft/actor/runtime/cell.hpp"

#include <cstdlib>
#include <new>

namespace weft::actor {
namespace {

constexpr std::size_t round_up(std::size_t size, std::size_t to) noexcept { return (size + to - 1) / to * to; }
}  // namespace

std::uint64_t Address::id() const noexcept { return cell_ ? (CellStore::number_of(*cell_) << 32 | generation_) : 0; }

CellStore::~CellStore() {
  for (Chunk* chunk = newest_.load(std::memory_order_relaxed); chunk;) {
    Chunk* next = chunk->next;
    std::free(chunk);  // cells have nothing to destroy by now
    chunk = next;
  }
}

std::size_t CellStore::size_class(const ActorType& type) noexcept {
  return round_up(Cell::in_place(type) ? type.size : sizeof(void*), kStep) / kStep;
}

std::uint64_t CellStore::number_of(const Cell& cell) noexcept {
  const Chunk& chunk = chunk_of(cell);
  const auto offset = reinterpret_cast<std::uintptr_t>(&cell) - reinterpret_cast<std::uintptr_t>(&chunk) - kHead;
  return chunk.first_number + offset / chunk.stride;
}

void CellStore::add_chunk(std::size_t size_class) {
  const std::size_t stride = sizeof(Cell) + size_class * kStep;
  const std::size_t count = (kChunk - kHead) / stride;
  void* memory = std::aligned_alloc(kChunk, kChunk);
  if (!memory) throw std::bad_alloc();
  auto* chunk = new (memory)
      Chunk{&runtime_, newest_.load(std::memory_order_relaxed), cells_ + 1, static_cast<std::uint32_t>(stride), 0};
  cells_ += count;
  auto* at = static_cast<std::byte*>(memory) + kHead;
  fresh_[size_class] = {at, at + count * stride};
  newest_.store(chunk, std::memory_order_release);
}

Cell* CellStore::take(std::size_t size_class, std::size_t count) {
  const std::size_t stride = sizeof(Cell) + size_class * kStep;
  const std::lock_guard lock(mutex_);
  Cell* list = nullptr;
  for (; count > 0; --count) {
    Cell* cell = free_[size_class];
    if (cell) {
      free_[size_class] = cell->older;
    } else {
      auto& [next, end] = fresh_[size_class];
      if (next == end) add_chunk(size_class);
      cell = new (next) Cell;
      Chunk& chunk = chunk_of(*cell);
      next += stride;
      std::atomic_ref(chunk.count).store(chunk.count + 1, std::memory_order_release);
    }
    cell->older = list;
    list = cell;
  }
  return list;
}

void CellStore::give(std::size_t size_class, Cell* first) noexcept {
  const std::lock_guard lock(mutex_);
  while (first) {
    Cell* next = first->older;
    first->older = free_[size_class];
    free_[size_class] = first;
    first = next;
  }
}

}  // namespace weft::actor
