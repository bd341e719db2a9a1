// Silence: whether an instance that owes answers still says anything. A process that is frozen or hangs keeps its
// connections and its lease for seconds; a ping that it does not answer shows it within tens of milliseconds. A ping
// is answered beside running handlers, so a handler that takes long is not silence. Pure: time is a parameter.
// Loop-bound.
#pragma once
#include <algorithm>

#include "weft/base/base.hpp"

namespace weft::policy {

class Silence {
 public:
  /// A ping is due when an instance that owes answers has sent nothing for this long. The time doubles, up to the
  /// maximum, while it answers pings only: its handlers take long.
  static constexpr Duration kPingAfter = std::chrono::milliseconds(20), kPingAfterMax = std::chrono::milliseconds(250);
  /// With a ping unanswered for this long an instance is silent(): it gets calls only when no other one can take them.
  static constexpr Duration kSilent = std::chrono::milliseconds(100);

  /// The first of the calls that wait for answers was sent.
  void call_sent(TimePoint now) noexcept {
    since_ = now;
    ping_after_ = kPingAfter;
  }
  /// `last_heard`: when anything came from the instance last; `owes`: calls wait for its answers. True when a ping is
  /// due; ping_sent() follows.
  bool look(TimePoint now, TimePoint last_heard, bool owes) noexcept {
    if (pinging() && last_heard >= pinged_) {
      pinged_ = kNever;
      ping_after_ = std::min(2 * ping_after_, kPingAfterMax);
      since_ = last_heard;
    } else if (!pinging() && last_heard > since_) {
      ping_after_ = kPingAfter;
      since_ = last_heard;
    }
    return owes && !pinging() && now - since_ >= ping_after_;
  }
  void ping_sent(TimePoint now) noexcept { pinged_ = now; }
  /// The first ping since it was last heard is not answered yet.
  bool pinging() const noexcept { return pinged_ != kNever; }
  /// For how long that ping has not been answered; zero when there is none.
  Duration unanswered(TimePoint now) const noexcept {
    return pinging() ? std::max(now - pinged_, Duration::zero()) : Duration::zero();
  }
  bool silent(TimePoint now) const noexcept { return pinging() && now - pinged_ >= kSilent; }

 private:
  static constexpr TimePoint kNever = TimePoint::max();

  TimePoint since_{};  // it was heard, or calls began to wait
  TimePoint pinged_ = kNever;
  Duration ping_after_ = kPingAfter;
};

}  // namespace weft::policy
