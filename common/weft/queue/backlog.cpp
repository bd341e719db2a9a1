#include "weft/queue/backlog.hpp"

#include <algorithm>

#include "weft/base/backoff.hpp"

namespace weft::queue {
namespace {
constexpr Duration kRestMax = 30s;
}

Result<Entry*> Backlog::push(Entry entry) {
  if (items_.size() >= rules_.items_max) {
    return Error(codes::queue_full,
                 "the queue holds " + std::to_string(items_.size()) + " items already (queues.items_max)",
                 "push again later, or start more workers");
  }
  if (bytes_ + entry.bytes() > rules_.bytes_max) {
    return Error(codes::queue_full,
                 "the queue holds " + std::to_string(bytes_) + " bytes, and this item of " +
                     std::to_string(entry.bytes()) + " would pass queues.bytes_max",
                 "push again later, or start more workers");
  }
  return add(std::move(entry));
}

Entry* Backlog::restore(Entry entry) { return add(std::move(entry)); }

Entry* Backlog::add(Entry entry) {
  auto owned = std::make_unique<Entry>(std::move(entry));
  Entry* item = owned.get();
  item->sequence = ++last_sequence_;
  bytes_ += item->bytes();
  ++waiting_[index(item->priority)];
  items_.emplace(item->sequence, std::move(owned));
  if (!item->key.empty()) {
    const auto [place, first] = behind_key_.try_emplace(item->key);
    if (!first) {
      item->state = Entry::State::behind;
      place->second.push_back(item);
      return item;
    }
  }
  make_ready(*item);
  return item;
}

void Backlog::make_ready(Entry& entry) {
  entry.state = Entry::State::ready;
  ready_[index(entry.priority)].emplace(entry.sequence, &entry);
}

Entry* Backlog::next() noexcept {
  for (auto& lane : ready_) {
    if (!lane.empty()) return lane.begin()->second;
  }
  return nullptr;
}

std::size_t Backlog::ready() const noexcept { return ready_[0].size() + ready_[1].size() + ready_[2].size(); }

void Backlog::give(Entry& entry, std::string worker, TimePoint now) {
  ready_[index(entry.priority)].erase(entry.sequence);
  --waiting_[index(entry.priority)];
  ++given_;
  entry.state = Entry::State::given;
  entry.worker = std::move(worker);
  entry.since = now;
}

bool Backlog::is_dead(const Entry& entry, Outcome outcome) const noexcept {
  if (outcome == Outcome::not_begun) return false;
  if (outcome == Outcome::invalid || rules_.delivery == Delivery::at_most_once) return true;
  return entry.attempts.size() >= rules_.attempts;
}

Backlog::Verdict Backlog::finish(Entry& entry, Outcome outcome, Attempt failure, TimePoint now, Duration rest) {
  if (outcome == Outcome::done) return Verdict::done;
  if (outcome != Outcome::not_begun) entry.attempts.push_back(std::move(failure));
  if (is_dead(entry, outcome)) return Verdict::dead;
  --given_;
  ++waiting_[index(entry.priority)];
  entry.worker.clear();
  if (outcome == Outcome::failed && rest > Duration::zero()) {
    entry.state = Entry::State::resting;
    entry.since = now + rest;
    resting_.emplace(entry.since, &entry);
  } else {
    make_ready(entry);  // with its old place in the order: at the head of its lane
  }
  return Verdict::again;
}

std::unique_ptr<Entry> Backlog::take(Entry& entry) {
  auto node = items_.extract(entry.sequence);
  bytes_ -= entry.bytes();
  if (entry.state == Entry::State::given) {
    --given_;
  } else {
    --waiting_[index(entry.priority)];
    ready_[index(entry.priority)].erase(entry.sequence);
    const auto [begin, end] = resting_.equal_range(entry.since);
    const auto found = std::find_if(begin, end, [&](const auto& one) { return one.second == &entry; });
    if (found != end) resting_.erase(found);
  }
  next_of_key(entry);
  return std::move(node.mapped());
}

void Backlog::next_of_key(const Entry& entry) {
  if (entry.key.empty()) return;
  const auto found = behind_key_.find(entry.key);
  auto& line = found->second;
  if (entry.state == Entry::State::behind) {
    std::erase(line, &entry);
  } else if (line.empty()) {
    behind_key_.erase(found);
  } else {
    make_ready(*line.front());
    line.pop_front();
  }
}

void Backlog::wake(TimePoint now) {
  while (!resting_.empty() && resting_.begin()->first <= now) {
    make_ready(*resting_.begin()->second);
    resting_.erase(resting_.begin());
  }
}

std::optional<TimePoint> Backlog::next_wake() const noexcept {
  if (resting_.empty()) return std::nullopt;
  return resting_.begin()->first;
}

Entry* Backlog::find(std::uint64_t sequence) noexcept {
  const auto found = items_.find(sequence);
  return found == items_.end() ? nullptr : found->second.get();
}

Duration Backlog::rest_after(std::size_t failures) const noexcept {
  return doubled(rules_.retry_delay, failures > 0 ? failures - 1 : 0, std::max(kRestMax, rules_.retry_delay));
}

}  // namespace weft::queue
