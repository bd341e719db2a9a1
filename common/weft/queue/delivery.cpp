// The talk of a producer with its workers, and what becomes of an item after each attempt.
#include <algorithm>
#include <array>

#include "weft/queue/producer.hpp"

namespace weft::queue {
namespace {

constexpr Duration kOfferTimeout = 30s;
constexpr Duration kGiveBackTimeout = 2s;
constexpr Duration kPauseStuck = 200ms;               // by then the worker knows itself that it is stuck
constexpr Duration kPauseMin = 20ms, kPauseMax = 2s;  // before a worker that refused is asked again

/// The call's own errors that say that no handler has begun.
bool not_begun(const Error& error) {
  static constexpr std::array kCodes{codes::no_responders, codes::no_registry, codes::no_such_method,
                                     codes::draining,      codes::queue_full,  codes::circuit_open,
                                     codes::unauthorized,  codes::unknown_key};
  return std::any_of(kCodes.begin(), kCodes.end(), [&](const Code& code) { return error.is(code); });
}

Outcome outcome_of(const Result<Done>& done, const Error*& why, Error& kept) {
  if (!done) {
    why = &done.error();
    if (not_begun(*why)) return Outcome::not_begun;
    return why->kind == ErrorKind::invalid ? Outcome::invalid : Outcome::unknown;
  }
  if (!done->failure) return Outcome::done;
  kept = done->failure->error();
  why = &kept;
  return kept.kind == ErrorKind::invalid ? Outcome::invalid : Outcome::failed;
}

}  // namespace

Task<void> Producer::offer(std::string instance) {
  Offer offer;
  offer.queue = target_.method();
  offer.producer = parts_.options.instance;
  offer.waiting = backlog_.ready();
  calls::CallOptions options(kOfferTimeout);
  options.instance = instance;
  options.once = true;  // held by the worker until it has room
  auto answer = co_await parts_.mesh.call(std::string(target_.agent()) + "._offer", wire::Payload::of(offer), options);
  auto grant = answer ? answer->as<Grant>() : Result<Grant>(answer.error());
  const auto found = workers_.find(instance);
  if (found == workers_.end()) co_return;
  Worker& worker = found->second;
  worker.offering = false;
  if (grant) {
    worker.credit += grant->items;
    if (grant->items > 0) worker.pause = {};
  } else if (!grant.error().is(codes::deadline_exceeded)) {
    pause(worker, kPauseMin);
  }
  wake();
}

void Producer::pause(Worker& worker, Duration least) {
  worker.pause = std::clamp(worker.pause * 2, least, Duration(kPauseMax));
  worker.not_before = parts_.loop.now() + worker.pause;
}

Task<void> Producer::return_credit(std::string instance, std::uint64_t items) {
  Offer offer;
  offer.queue = target_.method();
  offer.producer = parts_.options.instance;
  offer.unused = items;
  calls::CallOptions options(kGiveBackTimeout);
  options.instance = instance;
  options.once = true;
  (void)co_await parts_.mesh.call(std::string(target_.agent()) + "._offer", wire::Payload::of(offer),
                                  options);  // else it ends by itself
}

Task<void> Producer::deliver(std::string instance, std::uint64_t sequence) {
  const Entry& entry = *backlog_.find(sequence);
  Work work;
  work.id = entry.id;
  work.producer = parts_.options.instance;
  work.attempt = static_cast<std::uint32_t>(entry.attempts.size() + 1);
  work.priority = entry.priority;
  work.key = entry.key;
  work.headers = entry.headers;
  work.pushed_us = entry.pushed_us;
  work.more = backlog_.ready();
  work.encoding = static_cast<std::uint8_t>(entry.payload.encoding);
  work.payload = entry.payload.bytes;
  calls::CallOptions options(entry.timeout > Duration::zero() ? entry.timeout : rules().item_timeout);
  options.instance = instance;
  options.once = true;  // whether it is given again is decided here, by the rules of the queue
  options.trace = entry.trace;
  const std::int64_t begin_us = to_us(parts_.loop.clock().wall());
  auto answer = co_await parts_.mesh.call(target_.text(), wire::Payload::of(work), options);
  settle(instance, sequence, begin_us, std::move(answer));
}

void Producer::settle(const std::string& instance, std::uint64_t sequence, std::int64_t begin_us,
                      Result<wire::Payload> answer) {
  Result<Done> done = answer ? answer->as<Done>() : Result<Done>(answer.error());
  Error kept;
  const Error* why = nullptr;
  const Outcome outcome = outcome_of(done, why, kept);
  Attempt failure;
  if (const auto worker = workers_.find(instance); worker != workers_.end()) {
    --worker->second.in_flight;
    ++(outcome == Outcome::done ? worker->second.finished : worker->second.failed);
    if (done) worker->second.credit += done->want;
    if (outcome == Outcome::not_begun) pause(worker->second, kPauseMin);
    if (why && why->is(codes::deadline_exceeded)) pause(worker->second, kPauseStuck);
    failure.host = worker->second.host;
  }
  wake();
  Entry* entry = backlog_.find(sequence);
  if (!entry) return;
  if (why) {
    failure.number = static_cast<std::uint32_t>(entry->attempts.size() + 1);
    failure.instance = instance;
    failure.begin_us = begin_us;
    failure.end_us = to_us(parts_.loop.clock().wall());
    failure.code = why->code;
    failure.text = why->message;
  }
  const Duration rest = backlog_.rest_after(entry->attempts.size() + 1);
  const Duration spread = rest / 5 * static_cast<int>(parts_.random.below(100)) / 100;  // so that not all come at once
  switch (backlog_.finish(*entry, outcome, std::move(failure), parts_.loop.now(), rest + spread)) {
    case Backlog::Verdict::done: {
      metrics_.finished.add();
      auto finished = backlog_.take(*entry);
      forget(*finished);
      resolve(sequence, wire::Payload(static_cast<wire::Encoding>(done->encoding), std::move(done->payload)));
      return;
    }
    case Backlog::Verdict::dead:
      return bury(backlog_.take(*entry), *why);
    case Backlog::Verdict::again:
      metrics_.redelivered(why->code);
      if (outcome != Outcome::not_begun) note(*entry);
      return;
  }
}

void Producer::note(const Entry& entry) {
  auto place = journal();
  if (!place || !*place) return;
  StoredNote note;
  note.attempts = entry.attempts;
  (*place)->put(key_of("n/", entry.id), stored(note));
}

void Producer::bury(std::unique_ptr<Entry> entry, const Error& why) {
  DeadLetter letter;
  letter.id = entry->id;
  letter.queue = target_.text();
  letter.priority = entry->priority;
  letter.key = entry->key;
  letter.headers = entry->headers;
  letter.timeout_us = std::chrono::duration_cast<std::chrono::microseconds>(entry->timeout).count();
  letter.pushed_us = entry->pushed_us;
  letter.died_us = to_us(parts_.loop.clock().wall());
  letter.code = why.code;
  letter.reason = why.message;
  letter.attempts = entry->attempts;
  letter.bytes = entry->payload.bytes.size();
  letter.event = Ulid::make(parts_.loop.clock().wall(), parts_.random);
  tell(letter);
  metrics_.dead(why.code);
  const Error dead(codes::dead_lettered,
                   "item " + letter.id.to_string() + " of " + target_.text() + " failed " +
                       std::to_string(letter.attempts.size()) + " times, last with " + why.code + ": " + why.message,
                   "weft dlq show " + letter.id.to_string());
  auto place = parts_.journals.of(rules().durability);
  Journal& journal = place ? **place : parts_.journals.in_memory();
  forget(*entry);  // in the same transaction as the letter, when the item was on disk
  metrics_.dropped_letters.add(parts_.letters.add(journal, std::move(letter), entry->payload, rules()));
  resolve(entry->sequence, dead);
}

/// In a turn of its own: whoever waits may end this producer.
void Producer::resolve(std::uint64_t sequence, Receipt::Outcome outcome) {
  auto receipt = receipts_.extract(sequence);
  if (!receipt) return;
  parts_.loop.post([completer = std::move(receipt.mapped()), outcome = std::move(outcome)]() mutable {
    completer.complete(std::move(outcome));
  });
}

void Producer::tell(const DeadLetter& letter) {
  const std::string id = letter.id.to_string();
  parts_.log.error(
      "an item is a dead letter", Error(codes::dead_lettered, letter.reason),
      {{"queue", target_.text()}, {"item", id}, {"attempts", letter.attempts.size()}, {"reason_code", letter.code}});
  ErrorEvent event;
  event.id = letter.event;
  event.category = "queue";
  event.code = std::string(codes::dead_lettered.id);
  event.message = "an item of {queue} is a dead letter after {attempts} attempts: {reason}";
  event.values = {{"queue", target_.text()},
                  {"item", id},
                  {"reason", letter.reason},
                  {"reason_code", letter.code},
                  {"attempts", letter.attempts.size()}};
  event.fingerprint = "dead letter " + target_.text() + " " + letter.code;
  parts_.mesh.report(std::move(event));
}

// ---- the end, and what people see

void Producer::stop() {
  stopped_ = true;
  wake();
}

bool Producer::drained() const noexcept {
  return rules().durability == Durability::none ? backlog_.size() == 0 : backlog_.given() == 0;
}

std::size_t Producer::abandon() {
  const Error error(codes::draining, "this process stopped before the item of " + target_.text() + " was done");
  for (auto& [sequence, receipt] : std::exchange(receipts_, {})) receipt.complete(error);
  const std::size_t left = rules().durability == Durability::none ? backlog_.size() : 0;
  if (left > 0) metrics_.lost.add(left);
  return left;
}

QueueInfo Producer::info() const {
  const TimePoint now = parts_.loop.now();
  const auto us = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  QueueInfo info;
  info.queue = target_.text();
  info.producer = parts_.options.agent;
  info.host = parts_.options.host;
  info.instance = parts_.options.instance;
  info.high = backlog_.waiting(Priority::high);
  info.normal = backlog_.waiting(Priority::normal);
  info.low = backlog_.waiting(Priority::low);
  info.in_flight = backlog_.given();
  info.bytes = backlog_.bytes();
  if (const Entry* oldest = backlog_.oldest()) info.oldest_us = us(now - oldest->pushed);
  info.pushed = metrics_.pushed.value();
  info.finished = metrics_.finished.value();
  info.restored = metrics_.restored.value();
  info.redelivered = metrics_.redelivered_sum;
  info.refused = metrics_.refused_sum;
  info.dead = metrics_.dead_sum;
  info.dead_letters = parts_.letters.count(target_.text());
  info.items_max = rules().items_max;
  info.bytes_max = rules().bytes_max;
  info.attempts = rules().attempts;
  info.dead_letters_max = rules().dead_letters_max;
  info.delivery = rules().delivery;
  info.durability = rules().durability;
  info.item_timeout_us = us(rules().item_timeout);
  std::map<std::string, Duration> oldest;
  for (const auto& [sequence, entry] : backlog_.items()) {
    if (entry->state == Entry::State::given)
      oldest[entry->worker] = std::max(oldest[entry->worker], now - entry->since);
  }
  for (const auto& [instance, worker] : workers_) {
    info.workers.push_back({instance, worker.host, worker.in_flight, worker.finished, worker.failed,
                            us(oldest[instance]), worker.offering});
  }
  return info;
}

}  // namespace weft::queue
