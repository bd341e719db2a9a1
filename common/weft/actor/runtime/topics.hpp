// Topics and their subscribers. Thread-safe. Private to actor.
#pragma once
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "weft/actor/address.hpp"
#include "weft/base/base.hpp"

namespace weft::actor {

class Topics {
 public:
  /// Errors: `bad_topic`. A second time changes nothing.
  Result<void> add(std::string_view pattern, const Address& subscriber);
  void remove(std::string_view pattern, const Address& subscriber) noexcept;
  /// Each once, in the order in which they subscribed. Errors: `bad_topic`.
  Result<std::vector<Address>> subscribers(std::string_view topic) const;

 private:
  struct Entry {
    std::uint64_t order;
    Address subscriber;
  };
  struct Wild {
    TopicPattern pattern;
    std::vector<Entry> entries;
  };
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::vector<Entry>, std::less<>> exact_;
  std::map<std::string, Wild, std::less<>> wild_;
  std::uint64_t last_order_ = 0;
};

}  // namespace weft::actor
