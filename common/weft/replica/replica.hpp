// The door of replica: a map of values that one agent owns and any number of agents have whole. docs/replicated.md.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weft/agent/agent.hpp"
#include "weft/replica/follower.hpp"
#include "weft/replica/owner.hpp"

namespace weft {

/// A map that this agent owns: what is set here is at all replicas. T is a type that base/describe.hpp knows. Made
/// while the agent is set up, and used in its handlers.
template <class T>
class Replicated {
 public:
  /// Serves and publishes `<agent>.<name>`.
  Replicated(Agent& agent, const std::string& name, const ReplicatedLimits& limits = {})
      : owner_(replica::Owner::start(
            agent, name, limits, [](const void* value) -> Value { return to_value(*static_cast<const T*>(value)); })) {}

  /// With a time to live, longer than zero, it is erased then, here and at every replica. Errors, after which what was
  /// there stays: `bad_name` (a key has 1 to 256 bytes), `too_large`, `table_full`.
  Result<void> set(std::string_view key, T value, Duration time_to_live = {}) {
    return owner_->set(key, std::make_shared<const T>(std::move(value)), time_to_live);
  }
  /// False when it was not there.
  bool erase(std::string_view key) { return owner_->erase(key); }

  /// Null when it is not there.
  std::shared_ptr<const T> find(std::string_view key) const { return replica::detail::find<T>(owner_->table(), key); }
  std::size_t size() const noexcept { return owner_->table().size(); }
  /// `visit(const std::string& key, const T& value)`, in order of the keys; it must not set or erase.
  template <class F>
  void each(F&& visit) const {
    replica::detail::each<T>(owner_->table(), visit);
  }

 private:
  std::shared_ptr<replica::Owner> owner_;
};

/// A copy of a map that another agent owns. It is empty, then whole, and follows every change; what was lost on the
/// way, or another instance of the owner, makes it whole again. While that lasts, and while the owner is away, it has
/// what it had. Made while the agent is set up, and used in its handlers.
template <class T>
class Replica {
 public:
  /// Told of each change after it was made, in order for each key; null: erased, or its time was over. When it was made
  /// whole again, changes of one key may have become one.
  using Changed = std::function<void(const std::string& key, const T* value)>;

  /// `source` is "agent.name" of a Replicated. With more than `entries_max` entries it is never whole.
  Replica(Agent& agent, const std::string& source, Changed changed = {}, std::size_t entries_max = 1'000'000)
      : follower_(replica::Follower::start(agent, source, entries_max, decode, untyped(std::move(changed)))) {}
  ~Replica() {
    if (follower_) follower_->close();
  }
  Replica(Replica&&) noexcept = default;
  Replica& operator=(Replica&&) = delete;

  /// True while nothing that the owner told is missing here, and it was heard in the last seconds.
  bool synced() const { return follower_->synced(); }
  /// Waits for that. Errors: `deadline_exceeded`, `queue_full` (1000 wait already).
  Task<Result<void>> until_synced(Duration timeout) { return follower_->until_synced(timeout); }

  /// Null when it is not there.
  std::shared_ptr<const T> find(std::string_view key) const {
    return replica::detail::find<T>(follower_->table(), key);
  }
  std::size_t size() const noexcept { return follower_->table().size(); }
  /// `visit(const std::string& key, const T& value)`, in order of the keys.
  template <class F>
  void each(F&& visit) const {
    replica::detail::each<T>(follower_->table(), visit);
  }

 private:
  static replica::Held decode(const Value& value) {
    auto read = from_value<T>(value);
    return read ? std::make_shared<const T>(std::move(*read)) : nullptr;
  }
  static replica::ReplicaTable::Changed untyped(Changed changed) {
    if (!changed) return nullptr;
    return [changed = std::move(changed)](const std::string& key, const void* value) {
      changed(key, static_cast<const T*>(value));
    };
  }
  std::shared_ptr<replica::Follower> follower_;
};

}  // namespace weft
