#include "weft/actor/runtime/topics.hpp"

#include <algorithm>
#include <mutex>

namespace weft::actor {
namespace {

template <class Entries>
void take_out(Entries& entries, const Address& subscriber) {
  std::erase_if(entries, [&](const auto& entry) { return entry.subscriber == subscriber; });
}

}  // namespace

Result<void> Topics::add(std::string_view pattern, const Address& subscriber) {
  auto parsed = TopicPattern::parse(pattern);
  if (!parsed) return parsed.error();
  const std::unique_lock lock(mutex_);
  auto& entries = parsed->exact() ? exact_[parsed->text()]
                                  : wild_.try_emplace(parsed->text(), Wild{*parsed, {}}).first->second.entries;
  const bool known =
      std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.subscriber == subscriber; });
  if (!known) entries.push_back({++last_order_, subscriber});
  return {};
}

void Topics::remove(std::string_view pattern, const Address& subscriber) noexcept {
  const std::unique_lock lock(mutex_);
  if (const auto found = exact_.find(pattern); found != exact_.end()) {
    take_out(found->second, subscriber);
    if (found->second.empty()) exact_.erase(found);
  }
  if (const auto found = wild_.find(pattern); found != wild_.end()) {
    take_out(found->second.entries, subscriber);
    if (found->second.entries.empty()) wild_.erase(found);
  }
}

Result<std::vector<Address>> Topics::subscribers(std::string_view topic) const {
  if (auto fine = check_topic(topic); !fine) return fine.error();
  std::vector<Entry> found;
  {
    const std::shared_lock lock(mutex_);
    if (const auto exact = exact_.find(topic); exact != exact_.end()) found = exact->second;
    for (const auto& [text, wild] : wild_) {
      if (wild.pattern.matches(topic)) found.insert(found.end(), wild.entries.begin(), wild.entries.end());
    }
  }
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) { return a.order < b.order; });
  std::vector<Address> subscribers;
  for (const Entry& entry : found) {
    if (std::find(subscribers.begin(), subscribers.end(), entry.subscriber) == subscribers.end()) {
      subscribers.push_back(entry.subscriber);
    }
  }
  return subscribers;
}

}  // namespace weft::actor
