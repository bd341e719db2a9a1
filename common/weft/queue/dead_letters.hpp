// DeadLetters: the items that this process gave up, kept in its journals. Private to queue.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/queue/journal.hpp"

namespace weft::queue {

/// Loop-bound. Payloads stay in the journal; the rest is in memory too.
class DeadLetters {
 public:
  using Unreadable = std::function<void(std::string_view id, const Error& why)>;
  /// Takes up what `journal` holds; tells what cannot be read, and leaves it. Errors: `store_failed`.
  Result<void> load(Journal& journal, const Unreadable& unreadable);
  /// Keeps a letter; the oldest of its queue go while there are more than `rules` allow, by number or by bytes. Returns
  /// how many went.
  std::size_t add(Journal& journal, DeadLetter letter, const wire::Payload& payload, const Rules& rules);
  /// Null: there is none.
  const DeadLetter* find(std::string_view id) const noexcept;
  /// Errors: `bad_value` (no such letter), `store_failed`.
  Result<wire::Payload> payload(std::string_view id);
  Journal* journal_of(std::string_view id) const noexcept;
  /// False: there is none.
  bool remove(std::string_view id);
  std::vector<const DeadLetter*> newest_first(std::string_view queue) const;  ///< empty queue: of all
  std::size_t count(std::string_view queue) const noexcept;
  std::optional<std::int64_t> oldest_us(std::string_view queue) const noexcept;
  std::vector<std::string> queues() const;

 private:
  struct Kept {
    DeadLetter letter;
    Journal* journal;
  };
  struct Queue {
    std::map<std::pair<std::int64_t, std::string>, Kept> by_age;  // by time of death, then id
    std::uint64_t bytes = 0;
  };
  Kept* kept(std::string_view id) noexcept;
  void keep(Journal& journal, DeadLetter letter);

  std::map<std::string, Queue, std::less<>> queues_;
  std::map<std::string, std::pair<std::string, std::int64_t>, std::less<>> places_;  // id: queue and time of death
};

}  // namespace weft::queue
