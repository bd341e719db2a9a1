// The door of queue: work queues without a broker. The items of a queue wait at their producers; a consumer says how
// many it wants, and gets no more. What cannot be done goes to the dead letters of its producer. docs/queues.md tells
// it whole.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/config/config.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/observe/observe.hpp"
#include "weft/queue/messages.hpp"

namespace weft::queue {

/// How one queue is kept at its producer: a part of the section `queues`.
struct Rules {
  std::size_t items_max = 100'000;              ///< unfinished; more are refused
  std::size_t bytes_max = 256 * 1024 * 1024;    ///< of payloads of unfinished items; more are refused
  std::size_t attempts = 5;                     ///< failed ones, then it is a dead letter
  Delivery delivery = Delivery::at_least_once;  ///< at_most_once: what may have been done is never given again
  Durability durability = Durability::none;     ///< of accepted items; dead letters are on disk in any case
  Duration item_timeout = 60s;                  ///< of one attempt, from when it was sent
  Duration retry_delay = 200ms;                 ///< after the first failure; doubled each time, up to 30 s
  std::size_t dead_letters_max = 10'000;        ///< the oldest go first, and are counted
  WEFT_FIELDS(Rules, items_max, bytes_max, attempts, delivery, durability, item_timeout, retry_delay, dead_letters_max)
};

struct Options {
  std::string agent, host, instance;  ///< of this process; instance: its id in the mesh
  std::string file;  ///< where durable items and dead letters are: <file>.os.db, <file>.fsync.db; empty: in memory
  /// The section `queues`: members of Rules by pattern ("worker.resize", "worker", "*.mail", "*"). Each value is that
  /// of the most specific pattern that has it.
  Value rules;
  std::size_t payload_max = 16 * 1024 * 1024;

  Rules rules_for(std::string_view target) const;
};
/// From the sections queues, state and limits of a checked configuration, for the process that fills `slot`.
/// Errors: `bad_config`.
Result<Options> options_from(const config::Config& config, const peer::PeerOptions& peer);

/// What a handler works on. Borrowed: lives during the handler only.
struct Item {
  const Ulid& id;         ///< the same at every attempt: for who must not do a thing twice
  std::uint32_t attempt;  ///< from 1
  Priority priority;
  const std::string& key;
  const std::map<std::string, std::string>& headers;
  std::int64_t pushed_us;  ///< wall time
  const wire::Payload& payload;
  const calls::Call& call;  ///< with the deadline of this attempt
};

/// A value: done, the producer gets it. An Error: the attempt failed; of kind `invalid`: the item can never be done,
/// and goes to the dead letters at once. An exception is `handler_failed`.
using Handler = UniqueFunction<Task<Result<wire::Payload>>(const Item&)>;

struct ServeOptions {
  std::size_t concurrency = 1;  ///< items handled at once
  std::string summary{};        ///< one line for weft info
};

struct PushOptions {
  // No aggregate: gcc 12 copies braced aggregates bitwise into the frame of a co_await expression
  // (docs/decisions/0008).
  PushOptions() = default;
  explicit PushOptions(Priority of) : priority(of) {}

  Priority priority = Priority::normal;
  std::string key;  ///< items of one key are done one after another, in the order pushed; empty: no matter
  std::map<std::string, std::string> headers;  ///< for the handler; at most 4 KiB
  Duration timeout{};                          ///< of one attempt; 0: the queue's item_timeout
  TraceContext trace{};  ///< to which each attempt belongs, also after a restart; empty: the current one
};

/// An accepted item. Not copied.
class Receipt {
 public:
  using Outcome = Result<wire::Payload>;
  Receipt(Ulid id, Completion<Outcome> outcome) : id_(id), outcome_(std::move(outcome)) {}
  const Ulid& id() const noexcept { return id_; }
  /// What the handler answered, when it has. Errors: `dead_lettered` (says why), `draining` (this process ended first).
  /// Call once; needs no longer life than the receipt had.
  Task<Outcome> done() { return wait(std::move(outcome_)); }

 private:
  static Task<Outcome> wait(Completion<Outcome> outcome) { co_return co_await outcome; }
  Ulid id_;
  Completion<Outcome> outcome_;
};

/// The queues of one process: those that it pushes to, and those that it works on. Loop-bound.
class Queues {
 public:
  /// Borrows all. Opens nothing yet.
  Queues(Loop& loop, mesh::Mesh& mesh, Options options, observe::Metrics& metrics, observe::Log& log);
  ~Queues();

  /// Takes up what a former process of this slot left: unfinished durable items, dead letters. A store that cannot be
  /// opened is told, and tried again at the next push.
  void start();
  /// Works on the queue `<agent>.<method>`. A method served twice is a bug and throws.
  void serve(std::string method, Handler handler, ServeOptions options = {});
  /// Resolves when accepted: by durability in memory, with the operating system, or on disk. `target` is
  /// "agent.method"; it need not be there yet. Errors: `bad_name`, `queue_full`, `too_large`, `draining`,
  /// `store_failed`, `disk_full`.
  Task<Result<Receipt>> push(std::string target, wire::Payload payload, PushOptions options = {});
  /// Takes no more work and accepts no more items, and waits until what is under way is finished, and what is kept in
  /// memory only; at most `budget`. What is left then is told and counted.
  Task<void> drain(Duration budget);

  QueuesReply info(std::string_view queue = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::queue
