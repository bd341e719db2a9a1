// Sources: which publisher a frame came from, and which sender numbers it may use. Pure. Private to net.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weft::net {

/// A subscriber has one socket for all publishers, and a publisher writes its sender number into its events itself. A
/// number that is expected from one endpoint does not count when it comes from another. Loop-bound.
class Sources {
 public:
  /// From now on `sender` counts only from `endpoint`. Where it is expected from another one, that stays. A name is not
  /// taken: libzmq reports addresses, so events from there cannot be told from others.
  void expect(std::uint64_t sender, const std::string& endpoint);
  /// No effect when `sender` is expected from elsewhere.
  void forget(std::uint64_t sender, const std::string& endpoint);
  /// What ZMQ_EVENT_CONNECTED reports.
  void connected(int descriptor, std::string_view endpoint);
  void disconnected(int descriptor);
  /// Whether events with this number count that came over the connection with this descriptor.
  bool counts(int descriptor, std::uint64_t sender) {
    if (descriptor == last_descriptor_ && sender == last_sender_) [[likely]]
      return true;
    return counts_slow(descriptor, sender);
  }

 private:
  bool counts_slow(int descriptor, std::uint64_t sender);
  void changed() noexcept { last_descriptor_ = kNone; }

  static constexpr int kNone = -2;
  std::unordered_map<std::uint64_t, std::string> expected_;  ///< endpoint, by sender
  std::unordered_map<int, std::string> connections_;         ///< endpoint, by descriptor
  int last_descriptor_ = kNone;                              ///< with last_sender_: one that counts
  std::uint64_t last_sender_ = 0;
};

}  // namespace weft::net
