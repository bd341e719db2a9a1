// SentTime: when an event was sent, in its extension, and how old it is when it comes. Pure.
#pragma once
#include <array>
#include <optional>
#include <unordered_map>

#include "weft/base/base.hpp"

namespace weft::wire {

/// The MessagePack map {"sent_us": microseconds since 1970}.
std::array<std::byte, 18> sent_extension(WallTime now) noexcept;
std::optional<std::int64_t> sent_us(BytesView extension);

/// How much longer than the fastest one a message was on its way: hosts' clocks need not agree for that.
class TransitTimes {
 public:
  /// Each sender's fastest is forgotten after two of these, since clocks drift.
  static constexpr std::int64_t kWindowUs = 60'000'000;
  Duration excess(std::uint64_t sender, std::int64_t sent_us, WallTime now);

 private:
  struct Fastest {
    std::int64_t window = 0, here = 0, before = 0;
  };
  std::unordered_map<std::uint64_t, Fastest> senders_;
};

}  // namespace weft::wire
