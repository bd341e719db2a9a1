// Ledger: what a subscriber knows of each publisher's topics: sent, received, dropped by reason. Every sequence from
// the moment the subscription took effect is accounted for exactly once. Pure. Private to events.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/base/hash.hpp"
#include "weft/events/event.hpp"

namespace weft::events {

class Ledger {
 public:
  struct Limits {
    std::size_t streams_max = 262'144;  ///< publishers times topics; then the publisher silent for longest is forgotten
    std::size_t gaps_max = 256;  ///< of one stream, whose reason is not told yet; then the oldest counts as `gap`
  };
  struct Range {
    std::uint64_t first, last;
  };
  /// One topic of one publisher. `sent` counts sequences, `received` and `dropped` count what became of them: the rest
  /// is lost for a reason that the publisher has not told yet.
  struct Stream {
    std::uint64_t number;    ///< never used twice
    std::uint64_t last = 0;  ///< highest sequence known
    std::uint64_t sent = 0, received = 0;
    std::array<std::uint64_t, kDrops> dropped{};
    std::uint64_t repeated = 0;  ///< came again, or after their loss was accounted for
    std::vector<Range> gaps;     ///< reason not told yet
    std::uint64_t untold = 0;    ///< lost, and the next event has to say so
    bool fresh = true;           ///< nothing is known yet of where it stands
    bool held = false;           ///< no gaps are counted until the publisher tells where it stands
    TimePoint held_since{};
    std::uint64_t dropped_up_to = 0;  ///< by handlers that ran later
    std::uint64_t unexplained() const noexcept;
  };
  struct Source {
    std::uint64_t sender;
    std::unordered_map<std::string, Stream, TextHash, std::equal_to<>> streams{};
    std::vector<TopicPattern> told{};  ///< for which it has told where every topic stands
    TimePoint heard{};
  };
  enum class Verdict : std::uint8_t {
    fresh,
    late,  ///< its loss was told already; the order would be broken
    repeated,
  };
  struct Taken {
    Verdict verdict;
    std::uint64_t missed;  ///< just before this one
  };
  using OnDrop = std::function<void(std::uint64_t sender, Drop reason, std::uint64_t count)>;

  Ledger(Limits limits, OnDrop on_drop) : limits_(limits), on_drop_(std::move(on_drop)) {}

  /// Borrowed until generation() changes.
  Stream& stream(std::uint64_t sender, std::string_view topic, TimePoint now);
  Stream* find(std::uint64_t sender, std::string_view topic) noexcept;
  std::uint64_t generation() const noexcept { return generation_; }

  /// An event came.
  Taken take(Stream& stream, std::uint64_t sender, std::uint64_t sequence, TimePoint now) {
    if (sequence == stream.last + 1 && !stream.fresh && stream.untold == 0) [[likely]] {
      stream.last = sequence;
      ++stream.sent;
      ++stream.received;
      return {Verdict::fresh, 0};
    }
    return take_slow(stream, sender, sequence, now);
  }
  /// The publisher tells the last sequence of a topic, and with which sequences losses began at a full queue.
  void heartbeat(Stream& stream, std::uint64_t sender, std::uint64_t sequence, const std::vector<std::uint64_t>& marks);
  /// The same in answer to a request, exactly where the subscription took effect.
  void stands_at(Stream& stream, std::uint64_t sender, std::uint64_t sequence, const std::vector<std::uint64_t>& marks);
  /// All topics that match have been told.
  void told(std::uint64_t sender, const TopicPattern& pattern, TimePoint now);
  /// `pattern` is subscribed to no more. `covered` says which topics match another one.
  void closed(const TopicPattern& pattern, const std::function<bool(std::string_view topic)>& covered, TimePoint now);
  /// What was received is dropped after all.
  void drop(Stream& stream, std::uint64_t sender, Drop reason);

  const std::unordered_map<std::uint64_t, std::unique_ptr<Source>>& sources() const noexcept { return sources_; }
  std::uint64_t unexplained() const noexcept;

 private:
  Source& source(std::uint64_t sender, TimePoint now);
  Taken take_slow(Stream& stream, std::uint64_t sender, std::uint64_t sequence, TimePoint now);
  bool found_in_gap(Stream& stream, std::uint64_t sequence);
  void lose(Stream& stream, std::uint64_t sender, Range range);
  void settle(Stream& stream, std::uint64_t sender, const Range& range, Drop reason);
  void make_room(std::uint64_t keep);

  Limits limits_;
  OnDrop on_drop_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Source>> sources_;
  std::size_t streams_ = 0;
  std::uint64_t last_number_ = 0, generation_ = 1;
};

}  // namespace weft::events
