#include "weft/actor/runtime/names.hpp"

namespace weft::actor {

Result<void> check_actor_name(std::string_view name) {
  constexpr std::size_t kMax = 128;
  if (name.empty() || name.size() > kMax) {
    return Error(codes::bad_name, "an actor's name has 1 to " + std::to_string(kMax) + " characters, this one " +
                                      std::to_string(name.size()) + ": '" + std::string(name.substr(0, 40)) +
                                      (name.size() > 40 ? "…'" : "'"));
  }
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@-";
  if (const auto wrong = name.find_first_not_of(kAllowed); wrong != std::string_view::npos) {
    return Error(codes::bad_name, "an actor's name is made of letters, digits and _.:/@-, '" + std::string(name) +
                                      "' has something else at character " + std::to_string(wrong + 1));
  }
  return {};
}

Result<void> Names::add(const std::string& name, const Address& actor) {
  if (auto fine = check_actor_name(name); !fine) return fine;
  const std::lock_guard lock(mutex_);
  if (!entries_.emplace(name, Entry{actor, nullptr}).second) {
    return Error(codes::actor_exists, "an actor is named '" + name + "' already");
  }
  names_.emplace(actor.id(), name);
  return {};
}

void Names::set_pool(const std::string& name, std::shared_ptr<PoolMembers> pool) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(name); found != entries_.end()) found->second.pool = std::move(pool);
}

void Names::remove(const std::string& name) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  names_.erase(found->second.actor.id());
  entries_.erase(found);
}

Address Names::find(std::string_view name) const {
  std::shared_ptr<PoolMembers> pool;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end()) return {};
    if (!found->second.pool) return found->second.actor;
    pool = found->second.pool;
  }
  return pool->pick();
}

std::string Names::name_of(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(id);
  return found == names_.end() ? std::string() : found->second;
}

std::unordered_map<std::uint64_t, std::string> Names::by_id() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

}  // namespace weft::actor
