// Pools: several actors of one class under one name; each message goes to one of them.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/actor/options.hpp"

namespace weft::actor {

enum class Pick : std::uint8_t {
  round_robin,
  random,
  least_loaded,     ///< the shortest mailbox; a running handler counts as one message
  consistent_hash,  ///< by key: the same member for a key as long as it lives, few keys move when one goes
};

struct PoolOptions {
  std::string name;
  std::size_t size = 4;  ///< 1 to 65536
  Pick pick = Pick::round_robin;
  SupervisorOptions supervision{};
  MailboxOptions mailbox{};
  std::uint64_t seed = 0;  ///< of random picks
};

/// The members and the picks. Thread-safe.
class PoolMembers {
 public:
  PoolMembers(Address supervisor, std::vector<Address> members, PoolOptions options);
  /// Picks a live member; returns an empty reference if there is none. Without a key, consistent_hash picks round
  /// robin.
  Address pick(std::string_view key = {}) noexcept;
  const std::vector<Address>& members() const noexcept { return members_; }
  const Address& supervisor() const noexcept { return supervisor_; }

 private:
  Address next() noexcept;
  Address random() noexcept;
  Address least_loaded() const noexcept;
  Address by_key(std::string_view key) const noexcept;

  Address supervisor_;
  std::vector<Address> members_;
  Pick pick_;
  std::atomic<std::uint64_t> cursor_;
};

/// `context.request(pool.pick(), Job{…}, 1s)`. A value that shares its members. Thread-safe.
template <class T>
class Pool {
 public:
  explicit Pool(std::shared_ptr<PoolMembers> members) noexcept : members_(std::move(members)) {}
  Ref<T> pick(std::string_view key = {}) const noexcept { return Ref<T>(members_->pick(key)); }
  const std::vector<Address>& members() const noexcept { return members_->members(); }
  /// Stopping it stops all members and frees the name; so does its failure: pick() then returns an empty reference.
  const Address& supervisor() const noexcept { return members_->supervisor(); }

 private:
  std::shared_ptr<PoolMembers> members_;
};

}  // namespace weft::actor
