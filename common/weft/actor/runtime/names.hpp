// Names of actors and pools. Thread-safe. Private to actor.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "weft/actor/pool.hpp"

namespace weft::actor {

class Names {
 public:
  /// Errors: `bad_name`, `actor_exists`.
  Result<void> add(const std::string& name, const Address& actor);
  /// A pool is found by the name of its supervisor, in place of it.
  void set_pool(const std::string& name, std::shared_ptr<PoolMembers> pool);
  void remove(const std::string& name) noexcept;
  Address find(std::string_view name) const;
  /// Empty for an actor without a name.
  std::string name_of(std::uint64_t id) const;
  std::unordered_map<std::uint64_t, std::string> by_id() const;

 private:
  struct Entry {
    Address actor;
    std::shared_ptr<PoolMembers> pool;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::unordered_map<std::uint64_t, std::string> names_;
};

}  // namespace weft::actor
