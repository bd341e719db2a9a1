#include "weft/actor/pool.hpp"

#include "weft/actor/runtime/runtime.hpp"
#include "weft/base/hash.hpp"

namespace weft::actor {
namespace {

bool takes(const Address& member) noexcept {
  const Cell& cell = *Cell::of(member);
  return cell.generation.load(std::memory_order_acquire) == Cell::generation_of(member) &&
         cell.inbox.load(std::memory_order_relaxed) != Cell::kClosed;
}

}  // namespace

PoolMembers::PoolMembers(Address supervisor, std::vector<Address> members, PoolOptions options)
    : supervisor_(supervisor),
      members_(std::move(members)),
      pick_(options.pick),
      cursor_(options.pick == Pick::random ? options.seed : 0) {}

Address PoolMembers::pick(std::string_view key) noexcept {
  switch (pick_) {
    case Pick::round_robin:
      return next();
    case Pick::random:
      return random();
    case Pick::least_loaded:
      return least_loaded();
    case Pick::consistent_hash:
      return key.empty() ? next() : by_key(key);
  }
  return {};
}

Address PoolMembers::next() noexcept {
  for (std::size_t tries = 0; tries < members_.size(); ++tries) {
    const Address& member = members_[cursor_.fetch_add(1, std::memory_order_relaxed) % members_.size()];
    if (takes(member)) return member;
  }
  return {};
}

Address PoolMembers::random() noexcept {
  const std::uint64_t first = splitmix64(cursor_.fetch_add(1, std::memory_order_relaxed));
  for (std::size_t tries = 0; tries < members_.size(); ++tries) {
    const Address& member = members_[(first + tries) % members_.size()];
    if (takes(member)) return member;
  }
  return {};
}

Address PoolMembers::least_loaded() const noexcept {
  Address best;
  std::uint32_t least = UINT32_MAX;
  for (const Address& member : members_) {
    if (!takes(member)) continue;
    const Cell& cell = *Cell::of(member);
    const bool busy =
        cell.inbox.load(std::memory_order_relaxed) != Cell::kIdle || cell.handlers_wait.load(std::memory_order_relaxed);
    const std::uint32_t load = cell.depth() + (busy ? 1 : 0);
    if (load >= least) continue;
    least = load;
    best = member;
  }
  return best;
}

/// The highest random weight (Thaler and Ravishankar, 1998): only the keys of a removed member move.
Address PoolMembers::by_key(std::string_view key) const noexcept {
  const std::uint64_t hashed = fnv1a(key);
  Address best;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::uint64_t weight = splitmix64(hashed ^ splitmix64(i));
    if ((best && weight <= highest) || !takes(members_[i])) continue;
    highest = weight;
    best = members_[i];
  }
  return best;
}

}  // namespace weft::actor
