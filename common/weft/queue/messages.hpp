// What travels between the producers of a queue, its consumers, and those who look at them. Values, MessagePack.
// docs/protocol.md has the grammar.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::queue {

enum class Priority : std::uint8_t { high, normal, low };
std::string_view to_string(Priority priority) noexcept;
/// Errors: `bad_value`.
Result<Priority> from_text(std::string_view name, std::type_identity<Priority>);

/// What a producer does with an item of which it cannot know whether it was done.
enum class Delivery : std::uint8_t { at_least_once, at_most_once };
std::string_view to_string(Delivery delivery) noexcept;
Result<Delivery> from_text(std::string_view name, std::type_identity<Delivery>);

/// What "accepted" means: in memory, or on disk so that the end of the process, or of the machine, loses nothing.
enum class Durability : std::uint8_t { none, os, fsync };
std::string_view to_string(Durability durability) noexcept;
Result<Durability> from_text(std::string_view name, std::type_identity<Durability>);

// ---- producer and consumer

/// `<agent>._offer`: Offer -> Grant, held by the consumer until it has room for items, but 10 s at most; then it
/// grants none. A newer offer of one producer takes the place of its older one. Errors: `no_such_method`, `draining`.
struct Offer {
  std::string queue;          ///< method, without the agent
  std::string producer;       ///< id of the offering process
  std::uint64_t waiting = 0;  ///< items that could be sent now; 0: only gives back what is `unused`
  std::uint64_t unused = 0;   ///< of what was granted before, how many will not be used
  WEFT_FIELDS(Offer, queue, producer, waiting, unused)
};
struct Grant {
  std::uint64_t items = 0;
  WEFT_FIELDS(Grant, items)
};

/// `<agent>.<method>` of kind "queue": Work -> Done. Errors: only what says that the handler did not begin (`draining`,
/// `queue_full`, `bad_payload`); its own are in Done.
struct Work {
  Ulid id;  ///< of the item; the same at every attempt
  std::string producer;
  std::uint32_t attempt = 1;  ///< from 1
  Priority priority = Priority::normal;
  std::string key;
  std::map<std::string, std::string> headers;
  std::int64_t pushed_us = 0;  ///< wall time
  std::uint64_t more = 0;      ///< items that could be sent beside this one
  std::uint8_t encoding = 0;   ///< as in an envelope
  Bytes payload;
  WEFT_FIELDS(Work, id, producer, attempt, priority, key, headers, pushed_us, more, encoding, payload)
};
struct Failure {
  std::string kind, code, name, message, hint;
  WEFT_FIELDS(Failure, kind, code, name, message, hint)
  static Failure of(const Error& error);
  Error error() const;
};
struct Done {
  std::uint64_t want = 0;  ///< granted with this answer
  std::uint8_t encoding = 0;
  Bytes payload;
  std::optional<Failure> failure;
  WEFT_FIELDS(Done, want, encoding, payload, failure)
};

// ---- for people

/// One try to have an item done.
struct Attempt {
  std::uint32_t number = 0;
  std::string instance, host;
  std::int64_t begin_us = 0, end_us = 0;  ///< wall time
  std::string code, text;                 ///< why it failed
  WEFT_FIELDS(Attempt, number, instance, host, begin_us, end_us, code, text)
};

/// An item that was given up, without its payload.
struct DeadLetter {
  Ulid id;  ///< of the item
  std::string queue;
  Priority priority = Priority::normal;
  std::string key;
  std::map<std::string, std::string> headers;
  std::int64_t timeout_us = 0;  ///< its own limit for an attempt; 0: the queue's
  std::int64_t pushed_us = 0, died_us = 0;
  std::string code, reason;
  std::vector<Attempt> attempts;
  std::uint64_t bytes = 0;  ///< of the payload
  Ulid event;               ///< of the report to the error bus
  WEFT_FIELDS(DeadLetter, id, queue, priority, key, headers, timeout_us, pushed_us, died_us, code, reason, attempts,
              bytes, event)
};

/// `<agent>._queues`: QueuesRequest -> QueuesReply.
struct QueuesRequest {
  std::string queue;  ///< "agent.method"; empty: all
  WEFT_FIELDS(QueuesRequest, queue)
};
struct WorkerInfo {
  std::string instance, host;
  std::uint64_t in_flight = 0, finished = 0, failed = 0;
  std::int64_t oldest_us = 0;  ///< how long its oldest item has been with it
  bool offered = false;        ///< an offer waits there
  WEFT_FIELDS(WorkerInfo, instance, host, in_flight, finished, failed, oldest_us, offered)
};
struct QueueInfo {
  std::string queue, producer, host, instance;
  std::uint64_t high = 0, normal = 0, low = 0;  ///< waiting, by priority
  std::uint64_t in_flight = 0, bytes = 0;
  std::int64_t oldest_us = 0;  ///< how long the oldest unfinished item has been here
  std::uint64_t pushed = 0, finished = 0, redelivered = 0, refused = 0, dead = 0, restored = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t items_max = 0, bytes_max = 0, attempts = 0, dead_letters_max = 0;
  Delivery delivery = Delivery::at_least_once;
  Durability durability = Durability::none;
  std::int64_t item_timeout_us = 0;
  std::vector<WorkerInfo> workers;
  WEFT_FIELDS(QueueInfo, queue, producer, host, instance, high, normal, low, in_flight, bytes, oldest_us, pushed,
              finished, redelivered, refused, dead, restored, dead_letters, items_max, bytes_max, attempts,
              dead_letters_max, delivery, durability, item_timeout_us, workers)
};
struct ServedInfo {
  std::string queue, host, instance;
  std::uint64_t concurrency = 0, running = 0, offers = 0, finished = 0, failed = 0;
  bool stuck = false;  ///< an item is past its time limit; no further ones are taken
  WEFT_FIELDS(ServedInfo, queue, host, instance, concurrency, running, offers, finished, failed, stuck)
};
struct QueuesReply {
  std::vector<QueueInfo> queues;   ///< to which this process pushes
  std::vector<ServedInfo> served;  ///< that this process works on
  WEFT_FIELDS(QueuesReply, queues, served)
};

/// `<agent>._dlq_list`: DeadLettersRequest -> DeadLettersReply, newest first.
struct DeadLettersRequest {
  std::string queue;  ///< empty: all
  std::uint64_t limit = 1000;
  WEFT_FIELDS(DeadLettersRequest, queue, limit)
};
struct DeadLettersReply {
  std::vector<DeadLetter> letters;
  std::uint64_t total = 0;
  WEFT_FIELDS(DeadLettersReply, letters, total)
};
/// `<agent>._dlq_show`: DeadLetterRequest -> DeadLetterReply. Errors: `unknown_item` (not_found).
struct DeadLetterRequest {
  std::string id;
  WEFT_FIELDS(DeadLetterRequest, id)
};
struct DeadLetterReply {
  DeadLetter letter;
  std::uint8_t encoding = 0;
  Bytes payload;
  WEFT_FIELDS(DeadLetterReply, letter, encoding, payload)
};
/// `<agent>._dlq_replay`: ReplayRequest -> ReplayReply: puts the items into their queues again, with the same id and
/// no attempts, and removes the letters, both or neither. Errors: `queue_full`, `not_found`.
struct ReplayRequest {
  std::vector<std::string> ids;
  std::optional<std::uint8_t> encoding;  ///< with `payload`: the items have this one from now on
  Bytes payload;
  WEFT_FIELDS(ReplayRequest, ids, encoding, payload)
};
struct ReplayReply {
  std::uint64_t replayed = 0;
  std::vector<std::string> unknown;  ///< ids of which there is no letter here
  WEFT_FIELDS(ReplayReply, replayed, unknown)
};
/// `<agent>._dlq_purge`: PurgeRequest -> PurgeReply.
struct PurgeRequest {
  std::string queue;             ///< empty: all
  std::vector<std::string> ids;  ///< empty: all of the queue
  std::int64_t older_us = 0;     ///< only those that died longer ago than this
  WEFT_FIELDS(PurgeRequest, queue, ids, older_us)
};
struct PurgeReply {
  std::uint64_t purged = 0;
  WEFT_FIELDS(PurgeReply, purged)
};

}  // namespace weft::queue
