// The tree of parents and children. A parent's list is guarded by the lock of its stripe, because children leave it
// from their own threads.
#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {

bool Runtime::link(Cell& parent, Cell& child) {
  // A cell that stops without a Side does not get one now.
  if (!parent.side && parent.state.load(std::memory_order_relaxed) == State::stopping) return false;
  if (&parent != Cell::of(root_))
    side(parent);  // the root has one until it ends, and is not only in its own turns here
  const std::lock_guard lock(tree_lock(parent));
  if (!parent.side || parent.side->no_children) return false;
  put_in(parent, child);
  return true;
}

void Runtime::put_in(Cell& parent, Cell& child) noexcept {
  Side& own = *parent.side;
  child.older = own.youngest_child;
  child.younger = nullptr;
  if (child.older) child.older->younger = &child;
  own.youngest_child = &child;
  child.parent.store(&parent, std::memory_order_release);
}

void Runtime::unlink(Cell& cell) noexcept {
  bool tell = false;
  Address waiting_parent;
  for (Cell* parent = cell.parent.load(std::memory_order_acquire); parent;
       parent = cell.parent.load(std::memory_order_acquire)) {
    const std::lock_guard lock(tree_lock(*parent));
    if (cell.parent.load(std::memory_order_relaxed) != parent) continue;  // it was moved meanwhile
    tell = take_out(*parent, cell);
    waiting_parent = parent->address();
    break;
  }
  if (tell) {
    control(waiting_parent, [this](Cell* waiting) {
      if (waiting) stop_children(*waiting);
    });
  }
}

bool Runtime::take_out(Cell& parent, Cell& cell) noexcept {
  cell.parent.store(nullptr, std::memory_order_release);
  Side* own = parent.side;
  if (!own || (!cell.older && !cell.younger && own->youngest_child != &cell)) return false;  // never linked
  if (cell.older) cell.older->younger = cell.younger;
  (cell.younger ? cell.younger->older : own->youngest_child) = cell.older;
  cell.older = cell.younger = nullptr;
  if (own->in_order) return own->waits_for_children;
  return !own->youngest_child && std::exchange(own->waits_for_children, false);
}

void Runtime::move(const Address& child, Cell& to) {
  Cell& cell = *Cell::of(child);
  Cell* parent = cell.parent.load(std::memory_order_acquire);
  if (!parent || parent == &to) return;
  std::mutex& one = tree_lock(*parent);
  std::mutex& other = tree_lock(to);
  std::unique_lock first(one, std::defer_lock), second(other, std::defer_lock);
  if (&one == &other) {
    first.lock();
  } else {
    std::lock(first, second);
  }
  const bool still = cell.generation.load(std::memory_order_relaxed) == Cell::generation_of(child) &&
                     cell.parent.load(std::memory_order_relaxed) == parent;
  if (!still) return;
  take_out(*parent, cell);
  put_in(to, cell);
}

void Runtime::orphan(const Address& child) { move(child, *Cell::of(root_)); }
void Runtime::bring_home(const Address& child, const Address& supervisor) { move(child, *Cell::of(supervisor)); }

void Runtime::forget_closed(const Address& child) {
  Cell& cell = *Cell::of(child);
  Cell* parent = cell.parent.load(std::memory_order_acquire);
  if (!parent) return;
  {
    const std::lock_guard lock(tree_lock(*parent));  // what is linked is not freed
    if (has_ended(child) || cell.parent.load(std::memory_order_relaxed) != parent) return;
    const std::uint8_t before = cell.farewell.fetch_or(Cell::kForgotten, std::memory_order_acq_rel);
    if (before != Cell::kGone) return;  // it frees itself
  }
  release(cell);
}

void Runtime::release(Cell& cell) noexcept {
  const bool root = &cell == Cell::of(root_);
  {
    std::unique_lock<std::mutex> lock;
    if (root) lock = std::unique_lock(tree_lock(cell));  // others may be about to hang something there
    delete std::exchange(cell.side, nullptr);
  }
  unlink(cell);
  free_cell(cell);
  if (root) root_gone_.store(true, std::memory_order_release);
}

void Runtime::forget(Cell& cell) noexcept {
  const std::uint8_t before = cell.farewell.fetch_or(Cell::kForgotten, std::memory_order_acq_rel);
  if (before == Cell::kGone) release(cell);
}

bool Runtime::has_ended(const Address& actor) noexcept {
  return Cell::of(actor)->generation.load(std::memory_order_acquire) != Cell::generation_of(actor);
}

void Runtime::tell_down(const Address& watcher, const Down& down) {
  auto* envelope = Envelope::make<Down>(Envelope::Kind::message, down);
  stamp(*envelope, {}, nullptr, nullptr);
  force(watcher, envelope);
}

void Runtime::watch(const Address& target, const Address& watcher) {
  control(target, [this, target, watcher](Cell* watched) {
    if (watched) {
      auto& watchers = side(*watched).watchers;
      if (watchers.size() == watchers.capacity()) std::erase_if(watchers, has_ended);
      watchers.push_back(watcher);
    } else {
      tell_down(watcher, Down{target, {}, Reason::not_found, {}});
    }
  });
}

void Runtime::unwatch(const Address& target, const Address& watcher) {
  control(target, [watcher](Cell* watched) {
    if (watched && watched->side) std::erase(watched->side->watchers, watcher);
  });
}

}  // namespace weft::actor
