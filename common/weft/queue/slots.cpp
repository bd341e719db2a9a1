#include "weft/queue/slots.hpp"

#include <algorithm>

namespace weft::queue {

void Slots::offer(const std::string& producer, std::uint64_t waiting) {
  if (waiting == 0 && !producers_.contains(producer)) return;
  producers_[producer].waiting = waiting;
  forget_if_idle(producer);
}

std::uint64_t Slots::offered(const std::string& producer) const noexcept {
  const auto found = producers_.find(producer);
  return found == producers_.end() ? 0 : found->second.waiting;
}

Slots::Producers::iterator Slots::neediest() {
  auto best = producers_.end();
  const auto rank = [](const Producer& of) { return std::pair(of.running + of.reserved, of.served); };
  for (auto at = producers_.begin(); at != producers_.end(); ++at) {
    if (at->second.waiting == 0) continue;
    if (best == producers_.end() || rank(at->second) < rank(best->second)) best = at;
  }
  return best;
}

std::vector<Slots::Share> Slots::grant(TimePoint now) {
  expire(now);
  std::map<std::string, std::uint64_t> given;
  while (!stuck(now) && running_.size() + reservations_.size() < concurrency_) {
    const auto one = neediest();
    if (one == producers_.end()) break;
    --one->second.waiting;
    ++one->second.reserved;
    one->second.served = ++grants_;
    ++given[one->first];
    reservations_.push_back({one->first, now + kReserved});
  }
  std::vector<Share> shares;
  for (auto& [name, items] : given) shares.push_back({name, items});
  return shares;
}

void Slots::give_back(const std::string& producer, std::uint64_t items) {
  while (items-- > 0 && unreserve(producer)) {
  }
  forget_if_idle(producer);
}

bool Slots::arrived(const std::string& producer, TimePoint now) {
  if (unreserve(producer)) return true;
  expire(now);
  return running_.size() + reservations_.size() < concurrency_;
}

Slots::Ticket Slots::take(const std::string& producer, TimePoint deadline) {
  ++producers_[producer].running;
  deadlines_.insert(deadline);
  running_.emplace(++last_ticket_, Running{producer, deadline});
  return last_ticket_;
}

void Slots::finished(Ticket ticket) {
  auto node = running_.extract(ticket);
  if (!node) return;
  deadlines_.erase(deadlines_.find(node.mapped().deadline));
  --producers_[node.mapped().producer].running;
  forget_if_idle(node.mapped().producer);
}

void Slots::expire(TimePoint now) {
  while (!reservations_.empty() && reservations_.front().until <= now) {
    const std::string producer = reservations_.front().producer;
    (void)unreserve(producer);
    forget_if_idle(producer);
  }
}

/// The oldest goes first: they are alike.
bool Slots::unreserve(const std::string& producer) {
  const auto found = std::find_if(reservations_.begin(), reservations_.end(),
                                  [&](const Reservation& one) { return one.producer == producer; });
  if (found == reservations_.end()) return false;
  reservations_.erase(found);
  --producers_[producer].reserved;
  return true;
}

void Slots::forget_if_idle(const std::string& producer) {
  const auto found = producers_.find(producer);
  if (found == producers_.end()) return;
  const Producer& one = found->second;
  if (one.waiting == 0 && one.running == 0 && one.reserved == 0) producers_.erase(found);
}

}  // namespace weft::queue
