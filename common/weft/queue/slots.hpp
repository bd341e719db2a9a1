// Slots: the capacity of a consumer for one queue, shared among the producers that offer items. Pure: no clock, no
// sockets. Private to queue.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::queue {

class Slots {
 public:
  /// A slot that was granted is kept for its producer for this long, and then free again.
  static constexpr Duration kReserved = 2s;
  /// A slot that is taken.
  using Ticket = std::uint64_t;
  struct Share {
    std::string producer;
    std::uint64_t items;
  };

  explicit Slots(std::size_t concurrency) : concurrency_(concurrency) {}

  /// `producer` has `waiting` items; replaces what it said before. 0 withdraws.
  void offer(const std::string& producer, std::uint64_t waiting);
  std::uint64_t offered(const std::string& producer) const noexcept;
  /// Gives what is free to those who offer, each time to the one that has the fewest slots (then to the one that was
  /// served longest ago), and reserves it. Nothing while stuck().
  std::vector<Share> grant(TimePoint now);
  /// `producer` will not use so many of its reserved slots.
  void give_back(const std::string& producer, std::uint64_t items);

  /// An item of `producer` came. True: take() now; false: no slot is free, since it came after its reservation had
  /// ended.
  bool arrived(const std::string& producer, TimePoint now);
  /// The slot is taken until finished(); an item still there at `deadline` makes the consumer stuck.
  Ticket take(const std::string& producer, TimePoint deadline);
  void finished(Ticket ticket);
  /// True when an item has been handled for longer than its time limit: something hangs, so nothing more is taken.
  bool stuck(TimePoint now) const noexcept { return !deadlines_.empty() && *deadlines_.begin() < now; }

  std::size_t running() const noexcept { return running_.size(); }
  std::size_t reserved() const noexcept { return reservations_.size(); }
  std::size_t concurrency() const noexcept { return concurrency_; }

 private:
  struct Producer {
    std::uint64_t waiting = 0;
    std::size_t running = 0, reserved = 0;
    std::uint64_t served = 0;  // when it was last granted something, as a count of grants
  };
  struct Reservation {
    std::string producer;
    TimePoint until;
  };
  struct Running {
    std::string producer;
    TimePoint deadline;
  };
  void expire(TimePoint now);
  bool unreserve(const std::string& producer);
  void forget_if_idle(const std::string& producer);
  using Producers = std::map<std::string, Producer>;
  Producers::iterator neediest();  // the end: none waits

  std::size_t concurrency_;
  Producers producers_;
  std::deque<Reservation> reservations_;  // in order of time
  std::map<Ticket, Running> running_;
  std::multiset<TimePoint> deadlines_;  // of those
  std::uint64_t grants_ = 0;
  Ticket last_ticket_ = 0;
};

}  // namespace weft::queue
