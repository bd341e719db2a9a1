#include "weft/calls/dedup.hpp"

namespace weft::calls {
namespace {

std::uint64_t hash_of(const Payload& payload) noexcept {
  return std::hash<std::string_view>{}(payload.text()) * 3 + static_cast<std::uint64_t>(payload.encoding);
}

std::size_t size_of(std::string_view key, const DedupWindow::Outcome& outcome) noexcept {
  constexpr std::size_t kEntry = 256;  // its place in list and table, about
  const std::size_t held =
      outcome ? outcome->bytes.size() : outcome.error().message.size() + outcome.error().hint.size();
  return kEntry + key.size() + held;
}

}  // namespace

DedupWindow::Look DedupWindow::look(std::string_view key, const Payload& payload, TimePoint now) {
  expire(now);
  const std::uint64_t hash = hash_of(payload);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const Entry& entry = *found->second;
    if (entry.payload != hash) return {Found::mismatch};
    return entry.forget_at == TimePoint{} ? Look{Found::running} : Look{Found::done, &entry.outcome};
  }
  if (running_.size() >= rules_.max_keys) return {Found::full};
  Entry& entry = running_.emplace_back();
  entry.key = key;
  entry.payload = hash;
  by_key_.emplace(entry.key, std::prev(running_.end()));
  make_room();
  return {Found::fresh};
}

void DedupWindow::wait(std::string_view key, Waiter waiter) { by_key_.at(key)->waiters.push_back(std::move(waiter)); }

void DedupWindow::finish(std::string_view key, const Outcome& outcome, TimePoint now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto entry = found->second;
  auto waiters = std::move(entry->waiters);
  if (!outcome && retryable(outcome.error().kind)) {
    forget(running_, entry);
  } else {
    entry->outcome = outcome;
    entry->forget_at = now + rules_.window;
    entry->bytes = size_of(entry->key, outcome);
    bytes_ += entry->bytes;
    done_.splice(done_.end(), running_, entry);
    make_room();
  }
  for (auto& waiter : waiters) waiter.complete(outcome);  // last: a waiter that resumes may look() again
}

void DedupWindow::expire(TimePoint now) {
  while (!done_.empty() && done_.front().forget_at <= now) forget(done_, done_.begin());
}

void DedupWindow::make_room() {
  while (done_.size() > 1 && (by_key_.size() > rules_.max_keys || bytes_ > rules_.max_bytes)) {
    ++forgotten_early_;
    forget(done_, done_.begin());
  }
}

void DedupWindow::forget(Entries& from, Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  from.erase(entry);
}

}  // namespace weft::calls
