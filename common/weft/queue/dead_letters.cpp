#include "weft/queue/dead_letters.hpp"

#include <algorithm>

namespace weft::queue {

Result<void> DeadLetters::load(Journal& journal, const Unreadable& unreadable) {
  auto entries = journal.list("d/");
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    auto letter = read_stored<DeadLetter>(entry.value);
    if (letter) {
      keep(journal, std::move(*letter));
    } else {
      unreadable(entry.key.substr(2), letter.error());
    }
  }
  return {};
}

void DeadLetters::keep(Journal& journal, DeadLetter letter) {
  const std::string id = letter.id.to_string();
  Queue& queue = queues_[letter.queue];
  queue.bytes += letter.bytes;
  places_[id] = {letter.queue, letter.died_us};
  const auto place = std::pair(letter.died_us, id);
  queue.by_age.insert_or_assign(place, Kept{std::move(letter), &journal});
}

std::size_t DeadLetters::add(Journal& journal, DeadLetter letter, const wire::Payload& payload, const Rules& rules) {
  const std::string id = letter.id.to_string();
  (void)remove(id);
  journal.put("d/" + id, stored(letter));
  journal.put("b/" + id, stored(StoredBody{static_cast<std::uint8_t>(payload.encoding), payload.bytes}));
  const std::string name = letter.queue;
  keep(journal, std::move(letter));
  const Queue& queue = queues_[name];
  std::size_t dropped = 0;
  while (queue.by_age.size() > rules.dead_letters_max || (queue.bytes > rules.bytes_max && queue.by_age.size() > 1)) {
    (void)remove(std::string(queue.by_age.begin()->first.second));
    ++dropped;
  }
  return dropped;
}

DeadLetters::Kept* DeadLetters::kept(std::string_view id) noexcept {
  const auto place = places_.find(id);
  if (place == places_.end()) return nullptr;
  auto& letters = queues_.find(place->second.first)->second.by_age;
  return &letters.find(std::pair(place->second.second, place->first))->second;
}

const DeadLetter* DeadLetters::find(std::string_view id) const noexcept {
  const Kept* found = const_cast<DeadLetters*>(this)->kept(id);
  return found ? &found->letter : nullptr;
}

Journal* DeadLetters::journal_of(std::string_view id) const noexcept {
  const Kept* found = const_cast<DeadLetters*>(this)->kept(id);
  return found ? found->journal : nullptr;
}

Result<wire::Payload> DeadLetters::payload(std::string_view id) {
  Kept* found = kept(id);
  if (!found)
    return Error(codes::bad_value, "there is no dead letter '" + std::string(id.substr(0, kNameMax)) + "' here");
  auto entries = found->journal->list("b/" + std::string(id));
  if (!entries) return entries.error();
  if (entries->empty())
    return Error(codes::store_failed, "the payload of dead letter " + std::string(id) + " is damaged or lost");
  auto body = read_stored<StoredBody>(entries->front().value);
  if (!body) return Error(codes::store_failed, "the payload of dead letter " + std::string(id) + " cannot be read");
  return wire::Payload(static_cast<wire::Encoding>(body->encoding), std::move(body->payload));
}

bool DeadLetters::remove(std::string_view id) {
  const auto place = places_.find(id);
  if (place == places_.end()) return false;
  const auto queue = queues_.find(place->second.first);
  const auto found = queue->second.by_age.find(std::pair(place->second.second, place->first));
  found->second.journal->erase("d/" + place->first);
  found->second.journal->erase("b/" + place->first);
  queue->second.bytes -= found->second.letter.bytes;
  queue->second.by_age.erase(found);
  places_.erase(place);
  return true;
}

std::vector<const DeadLetter*> DeadLetters::newest_first(std::string_view queue) const {
  std::vector<const DeadLetter*> out;
  for (const auto& [name, one] : queues_) {
    if (!queue.empty() && name != queue) continue;
    for (const auto& [age, kept] : one.by_age) out.push_back(&kept.letter);
  }
  std::sort(out.begin(), out.end(),
            [](const auto* a, const auto* b) { return std::tie(b->died_us, b->id) < std::tie(a->died_us, a->id); });
  return out;
}

std::size_t DeadLetters::count(std::string_view queue) const noexcept {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? 0 : found->second.by_age.size();
}

std::optional<std::int64_t> DeadLetters::oldest_us(std::string_view queue) const noexcept {
  const auto found = queues_.find(queue);
  if (found == queues_.end() || found->second.by_age.empty()) return std::nullopt;
  return found->second.by_age.begin()->first.first;
}

std::vector<std::string> DeadLetters::queues() const {
  std::vector<std::string> out;
  for (const auto& [name, queue] : queues_) {
    if (!queue.by_age.empty()) out.push_back(name);
  }
  return out;
}

}  // namespace weft::queue
