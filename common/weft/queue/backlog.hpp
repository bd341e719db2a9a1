// Backlog: the items of one queue at its producer: lanes by priority, what is given, what waits for another try, and
// when an item is given up. Pure: no clock, no sockets, no files. Private to queue.
#pragma once
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "weft/queue/queue.hpp"
#include "weft/wire/payload.hpp"

namespace weft::queue {

/// One item. Values; `sequence` is the backlog's own.
struct Entry {
  std::uint64_t sequence = 0;  ///< order of arrival, from 1
  Ulid id;
  Priority priority = Priority::normal;
  std::string key;
  std::map<std::string, std::string> headers;
  Duration timeout{};  ///< of one attempt; 0: the queue's
  std::int64_t pushed_us = 0;
  TimePoint pushed{};
  wire::Payload payload;
  TraceContext trace{};           ///< of who pushed it
  std::vector<Attempt> attempts;  ///< those that failed

  enum class State : std::uint8_t { ready, behind, resting, given } state = State::ready;
  std::string worker;  ///< instance that has it, while given
  TimePoint since{};   ///< given at; or while resting, ready at
  /// What it counts for in `bytes_max`.
  std::size_t bytes() const noexcept { return payload.bytes.size() + key.size() + kOverhead; }
  static constexpr std::size_t kOverhead = 256;
};

/// What became of one try.
enum class Outcome : std::uint8_t {
  done,
  not_begun,  ///< certainly not handled: no attempt
  failed,     ///< the handler says so
  invalid,    ///< the handler says that it can never be done
  unknown     ///< it may have been done: the worker died, or let its time pass
};

class Backlog {
 public:
  enum class Verdict : std::uint8_t { done, again, dead };

  explicit Backlog(Rules rules) : rules_(std::move(rules)) {}

  /// Adds an item; its key makes it wait for those of the same key before it. Errors: `queue_full` (by items, by
  /// bytes).
  Result<Entry*> push(Entry entry);
  /// The same for one that was accepted before: no limit holds.
  Entry* restore(Entry entry);
  /// The next to be given: of the highest priority the oldest; null: none.
  Entry* next() noexcept;
  void give(Entry& entry, std::string worker, TimePoint now);
  /// What becomes of a given item. `failure` is kept with it unless it is done or not begun. With `done` and `dead`
  /// the item is the caller's: take() it. `rest` is how long one that failed waits before it is given again.
  Verdict finish(Entry& entry, Outcome outcome, Attempt failure, TimePoint now, Duration rest);
  std::unique_ptr<Entry> take(Entry& entry);
  /// Makes ready what has rested.
  void wake(TimePoint now);
  std::optional<TimePoint> next_wake() const noexcept;
  Entry* find(std::uint64_t sequence) noexcept;

  const Rules& rules() const noexcept { return rules_; }
  std::size_t size() const noexcept { return items_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t ready() const noexcept;
  std::size_t given() const noexcept { return given_; }
  /// Not given, by priority: ready, resting and behind others of their key.
  std::size_t waiting(Priority priority) const noexcept { return waiting_[index(priority)]; }
  const Entry* oldest() const noexcept { return items_.empty() ? nullptr : items_.begin()->second.get(); }
  const std::map<std::uint64_t, std::unique_ptr<Entry>>& items() const noexcept { return items_; }
  /// Before the attempt after `failures` failed ones: doubled each time, 30 s at most.
  Duration rest_after(std::size_t failures) const noexcept;

 private:
  static std::size_t index(Priority priority) noexcept { return static_cast<std::size_t>(priority); }
  Entry* add(Entry entry);
  void make_ready(Entry& entry);
  void next_of_key(const Entry& entry);
  bool is_dead(const Entry& entry, Outcome outcome) const noexcept;

  Rules rules_;
  std::map<std::uint64_t, std::unique_ptr<Entry>> items_;           // all, by arrival
  std::array<std::map<std::uint64_t, Entry*>, 3> ready_;            // by priority, then arrival
  std::multimap<TimePoint, Entry*> resting_;                        // by when they are ready
  std::unordered_map<std::string, std::deque<Entry*>> behind_key_;  // behind the one of their key that is under way
  std::array<std::size_t, 3> waiting_{};
  std::size_t bytes_ = 0, given_ = 0;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace weft::queue
