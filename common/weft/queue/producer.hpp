// Producer: one queue that this process pushes to: offers its items to every live worker, sends those that are wanted,
// and decides what becomes of each. Private to queue.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "weft/base/lifetime.hpp"
#include "weft/base/target.hpp"
#include "weft/queue/backlog.hpp"
#include "weft/queue/dead_letters.hpp"
#include "weft/queue/producer_metrics.hpp"

namespace weft::queue {

/// What the producers of a process share. Borrowed.
struct Parts {
  Loop& loop;
  mesh::Mesh& mesh;
  const Options& options;
  observe::Metrics& metrics;
  observe::Log& log;
  Journals& journals;
  DeadLetters& letters;
  Random& random;
};

class Producer {
 public:
  Producer(Parts parts, Target target);
  ~Producer();

  Task<Result<Receipt>> push(wire::Payload payload, PushOptions options);
  /// Takes up an item that a former process had accepted.
  void restore(StoredItem item, StoredNote note);
  /// Puts a dead letter into the queue again. Errors: `queue_full`, `store_failed`.
  Result<void> replay(const DeadLetter& letter, wire::Payload payload);

  void worker_seen(const wire::InstanceRecord& record);
  void worker_gone(const Ulid& instance);

  /// Refuses items from now on; gives on only what is in memory.
  void stop();
  bool drained() const noexcept;
  /// Tells who waits for what is in memory only that it will not be done; returns how many that are.
  std::size_t abandon();
  QueueInfo info() const;
  const std::string& target() const noexcept { return target_.text(); }

 private:
  struct Worker {
    std::string host;
    std::uint64_t credit = 0, in_flight = 0, finished = 0, failed = 0;
    bool offering = false, withdrawn = false;
    TimePoint not_before{};  // after a refusal
    Duration pause{};
  };

  Result<void> check(const wire::Payload& payload, const PushOptions& options) const;
  Error refuse(const char* reason, Error error);
  Result<Journal*> journal() const;
  void save(const Entry& entry);
  void forget(const Entry& entry);
  std::string key_of(const char* kind, const Ulid& id) const;

  void wake();  // pump() at the end of this turn
  void pump();
  void give();
  bool give_one(const std::string& instance, Worker& worker);
  bool note_given(const Entry& entry);
  void make_offers();
  void withdraw();
  void give_back(const std::string& instance, Worker& worker);
  void arm();
  bool giving() const noexcept { return !stopped_ || rules().durability == Durability::none; }
  const Rules& rules() const noexcept { return backlog_.rules(); }

  Task<void> offer(std::string instance);
  Task<void> return_credit(std::string instance, std::uint64_t items);
  Task<void> deliver(std::string instance, std::uint64_t sequence);
  void pause(Worker& worker, Duration least);
  void settle(const std::string& instance, std::uint64_t sequence, std::int64_t begin_us, Result<wire::Payload> answer);
  void note(const Entry& entry);
  void bury(std::unique_ptr<Entry> entry, const Error& why);
  void resolve(std::uint64_t sequence, Receipt::Outcome outcome);
  void tell(const DeadLetter& letter);

  Parts parts_;
  Target target_;
  Backlog backlog_;
  std::map<std::string, Worker> workers_;  // by instance
  std::unordered_map<std::uint64_t, Completion<Receipt::Outcome>::Completer> receipts_;
  ProducerMetrics metrics_;
  std::map<std::string, TimePoint> told_;  // refusals reported, by reason
  std::map<std::string, std::uint64_t> refused_since_;
  bool woken_ = false, stopped_ = false, blocked_ = false;
  Timer timer_;
  TaskScope tasks_;
  Lifetime lifetime_;
};

}  // namespace weft::queue
