// TransitClock: how long a message was on its way beyond the fastest one of its connection, from the sender's stamp
// and the receiver's clock, which need not agree: their difference is smallest for what never waited. Pure.
#pragma once
#include <algorithm>
#include <cstdint>

namespace weft::net {

class TransitClock {
 public:
  /// Both in microseconds of some steady clock, wrapping; returns microseconds.
  std::uint32_t delay(std::uint32_t sent, std::uint32_t now) noexcept {
    const std::uint32_t difference = now - sent;
    const std::uint32_t age = now - since_;
    if (!known_ || age > kForget) {
      known_ = true;
      since_ = now;
      current_ = previous_ = difference;
      return 0;
    }
    if (age > kPeriod) {
      since_ = now;
      previous_ = current_;
      current_ = difference;
    } else if (less(difference, current_)) {
      current_ = difference;
    }
    const std::uint32_t fastest = less(previous_, current_) ? previous_ : current_;
    return less(fastest, difference) ? difference - fastest : 0;
  }

 private:
  static bool less(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(a - b) < 0; }

  // Clocks drift, some 50 ppm at worst: what was the smallest difference is forgotten after one to two minutes.
  static constexpr std::uint32_t kPeriod = 30'000'000, kForget = 120'000'000;
  std::uint32_t current_ = 0, previous_ = 0;  // smallest differences of this period and the one before
  std::uint32_t since_ = 0;
  bool known_ = false;
};

}  // namespace weft::net
