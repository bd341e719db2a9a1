#include "weft/actor/runtime/dead_letters.hpp"

#include <algorithm>

namespace weft::actor {

void DeadLetters::clear() noexcept {
  std::deque<Entry> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(entries_);
  }
  for (const Entry& entry : all) Envelope::destroy(entry.envelope);
}

void DeadLetters::add(Envelope* envelope, const Address& target, std::string target_name, Drop reason,
                      TimePoint now) noexcept {
  Envelope* pushed_out = max_ == 0 ? envelope : nullptr;
  if (max_ > 0) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() == max_) {
      pushed_out = entries_.front().envelope;
      entries_.pop_front();
    }
    DeadLetter letter;
    letter.number = ++last_number_;
    letter.target = target.id();
    letter.target_name = std::move(target_name);
    letter.message = envelope->type->name;
    letter.sender = envelope->from().id();
    letter.reason = reason;
    letter.time = now;
    entries_.push_back({std::move(letter), target, envelope});
  }
  if (pushed_out) Envelope::destroy(pushed_out);
}

std::vector<DeadLetter> DeadLetters::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeadLetter> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.letter);
  return all;
}

Envelope* DeadLetters::take(std::uint64_t number, Address& target, std::string& name) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), number,
                       [](const Entry& entry, std::uint64_t wanted) { return entry.letter.number < wanted; });
  if (found == entries_.end() || found->letter.number != number) return nullptr;
  Envelope* envelope = found->envelope;
  target = found->target;
  name = std::move(found->letter.target_name);
  entries_.erase(found);
  return envelope;
}

}  // namespace weft::actor
