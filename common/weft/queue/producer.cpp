#include "weft/queue/producer.hpp"

#include <algorithm>

#include "weft/base/trace_context.hpp"

namespace weft::queue {
namespace {

constexpr std::size_t kHeadersMax = 4096;
constexpr std::size_t kKeyMax = 256;
constexpr std::size_t kEnvelope = 1024;  // what is sent beside payload, headers and key
constexpr Duration kDiskRetry = 1s;
constexpr Duration kToldAgain = 10s;  // refusals of one reason are reported once in this time

std::int64_t wall_us(const Loop& loop) { return to_us(loop.clock().wall()); }

std::size_t size_of(const std::map<std::string, std::string>& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) bytes += name.size() + value.size();
  return bytes;
}

Entry entry_of(StoredItem&& item, StoredNote&& note) {
  Entry entry;
  entry.id = item.id;
  entry.priority = item.priority;
  entry.key = std::move(item.key);
  entry.headers = std::move(item.headers);
  entry.timeout = std::chrono::microseconds(item.timeout_us);
  entry.pushed_us = item.pushed_us;
  entry.payload = wire::Payload(static_cast<wire::Encoding>(item.encoding), std::move(item.payload));
  if (const auto trace = observe::traceparent_from(item.traceparent)) entry.trace = *trace;
  entry.attempts = std::move(note.attempts);
  return entry;
}

}  // namespace

Producer::Producer(Parts parts, Target target)
    : parts_(parts),
      target_(std::move(target)),
      backlog_(parts.options.rules_for(target_.text())),
      metrics_(parts.metrics, target_.text()),
      timer_(parts.loop) {
  for (const auto* record : parts_.mesh.directory().instances(target_.agent())) worker_seen(*record);
}

Producer::~Producer() = default;

// ---- items come in

Result<void> Producer::check(const wire::Payload& payload, const PushOptions& options) const {
  const std::size_t beside = size_of(options.headers) + options.key.size() + kEnvelope;
  if (options.key.size() > kKeyMax) {
    return Error(codes::too_large, "the key of an item has " + std::to_string(options.key.size()) + " bytes, " +
                                       std::to_string(kKeyMax) + " are allowed");
  }
  if (size_of(options.headers) > kHeadersMax) {
    return Error(codes::too_large, "the headers of an item have " + std::to_string(size_of(options.headers)) +
                                       " bytes, " + std::to_string(kHeadersMax) + " are allowed");
  }
  if (payload.bytes.size() + beside > parts_.options.payload_max) {
    return Error(codes::too_large, "an item of " + std::to_string(payload.bytes.size()) + " bytes, with " +
                                       std::to_string(beside) + " beside it, passes limits.payload_max_bytes (" +
                                       std::to_string(parts_.options.payload_max) + ")");
  }
  return {};
}

Result<Journal*> Producer::journal() const {
  if (rules().durability == Durability::none) return nullptr;
  return parts_.journals.of(rules().durability);
}

Task<Result<Receipt>> Producer::push(wire::Payload payload, PushOptions options) {
  if (stopped_) co_return refuse("draining", Error(codes::draining, "this process is stopping"));
  if (auto fine = check(payload, options); !fine) co_return refuse("too_large", std::move(fine.error()));
  auto place = journal();
  if (!place) co_return refuse("store", std::move(place.error()));
  Entry entry;
  entry.id = Ulid::make(parts_.loop.clock().wall(), parts_.random);
  entry.priority = options.priority;
  entry.key = std::move(options.key);
  entry.headers = std::move(options.headers);
  entry.timeout = options.timeout;
  entry.trace = options.trace;
  if (const TraceContext* trace = current_trace(); trace && !entry.trace.has_trace()) entry.trace = *trace;
  entry.pushed_us = wall_us(parts_.loop);
  entry.pushed = parts_.loop.now();
  entry.payload = std::move(payload);
  const bool too_many = backlog_.size() >= rules().items_max;
  auto added = backlog_.push(std::move(entry));
  if (!added) co_return refuse(too_many ? "items_max" : "bytes_max", std::move(added.error()));
  const std::uint64_t sequence = (*added)->sequence;
  const Ulid id = (*added)->id;
  Completion<Receipt::Outcome> outcome;
  receipts_.emplace(sequence, outcome.completer());
  if (*place) {
    save(**added);
    wake();
    auto written = co_await (*place)->written();
    if (!written) {
      receipts_.erase(sequence);
      if (Entry* unsaved = backlog_.find(sequence)) forget(*backlog_.take(*unsaved));
      co_return refuse("store", std::move(written.error()));
    }
  }
  metrics_.pushed.add();
  wake();
  co_return Receipt(id, std::move(outcome));
}

Error Producer::refuse(const char* reason, Error error) {
  metrics_.refused(reason);
  ++refused_since_[reason];
  const TimePoint now = parts_.loop.now();
  auto& told = told_[reason];
  if (told != TimePoint{} && now - told < kToldAgain) return error;
  told = now;
  parts_.log.warn("an item was refused", {{"queue", target_.text()}, {"reason", reason}, {"error", error.message}});
  ErrorEvent event;
  event.severity = Severity::warning;
  event.category = "queue";
  event.code = error.code;
  event.message = "queue {queue} refuses items: {reason}";
  event.values = {{"queue", target_.text()},
                  {"reason", reason},
                  {"error", error.message},
                  {"refused", std::exchange(refused_since_[reason], 0)}};
  event.fingerprint = "queue refuses " + target_.text() + " " + reason;
  parts_.mesh.report(std::move(event));
  return error;
}

void Producer::restore(StoredItem item, StoredNote note) {
  const bool given = note.given && rules().delivery == Delivery::at_most_once;
  Entry* entry = backlog_.restore(entry_of(std::move(item), std::move(note)));
  entry->pushed =
      parts_.loop.now() - std::chrono::microseconds(std::max<std::int64_t>(wall_us(parts_.loop) - entry->pushed_us, 0));
  metrics_.restored.add();
  if (given) {
    bury(backlog_.take(*entry), Error(codes::peer_gone, "the producer ended while the item may have been under way"));
  } else {
    wake();
  }
}

Result<void> Producer::replay(const DeadLetter& letter, wire::Payload payload) {
  if (stopped_) return refuse("draining", Error(codes::draining, "this process is stopping"));
  auto place = journal();
  if (!place) return place.error();
  Entry entry;
  entry.id = letter.id;
  entry.priority = letter.priority;
  entry.key = letter.key;
  entry.headers = letter.headers;
  entry.timeout = std::chrono::microseconds(letter.timeout_us);
  entry.pushed_us = wall_us(parts_.loop);
  entry.pushed = parts_.loop.now();
  entry.payload = std::move(payload);
  auto added = backlog_.push(std::move(entry));
  if (!added) return refuse("replay", std::move(added.error()));
  if (*place) save(**added);
  metrics_.pushed.add();
  wake();
  return {};
}

std::string Producer::key_of(const char* kind, const Ulid& id) const {
  return kind + target_.text() + "/" + id.to_string();
}

void Producer::save(const Entry& entry) {
  auto place = journal();
  if (!place || !*place) return;
  StoredItem item;
  item.queue = target_.text();
  item.id = entry.id;
  item.sequence = entry.sequence;
  item.priority = entry.priority;
  item.key = entry.key;
  item.headers = entry.headers;
  item.timeout_us = std::chrono::duration_cast<std::chrono::microseconds>(entry.timeout).count();
  item.pushed_us = entry.pushed_us;
  item.encoding = static_cast<std::uint8_t>(entry.payload.encoding);
  item.payload = entry.payload.bytes;
  if (const TraceContext& trace = entry.trace; trace.has_trace()) item.traceparent = observe::to_traceparent(trace);
  (*place)->put(key_of("i/", entry.id), stored(item));
}

void Producer::forget(const Entry& entry) {
  auto place = journal();
  if (!place || !*place) return;
  (*place)->erase(key_of("i/", entry.id));
  if (!entry.attempts.empty() || rules().delivery == Delivery::at_most_once) (*place)->erase(key_of("n/", entry.id));
}

// ---- workers

void Producer::worker_seen(const wire::InstanceRecord& record) {
  const bool works = record.agent == target_.agent() && !record.call_endpoint.empty() &&
                     std::any_of(record.methods.begin(), record.methods.end(), [&](const wire::MethodInfo& method) {
                       return method.name == target_.method() && method.kind == "queue";
                     });
  const std::string instance = record.instance.to_string();
  if (!works) {
    workers_.erase(instance);
  } else if (workers_.try_emplace(instance).second) {
    workers_[instance].host = record.host;
    wake();
  }
}

void Producer::worker_gone(const Ulid& instance) {
  if (workers_.erase(instance.to_string()) > 0) wake();
}

// ---- items go out

void Producer::wake() {
  if (std::exchange(woken_, true)) return;
  parts_.loop.at_turn_end(lifetime_.guard([this] { pump(); }));
}

void Producer::pump() {
  woken_ = false;
  if (auto place = journal(); place && *place) (void)(*place)->flush();  // nothing is given before it is kept
  backlog_.wake(parts_.loop.now());
  give();
  if (backlog_.ready() > 0 && giving()) {
    make_offers();
  } else {
    withdraw();
  }
  arm();
}

void Producer::give() {
  bool gave = true;
  while (gave) {  // one each in turn
    gave = false;
    for (auto& [instance, worker] : workers_) gave = give_one(instance, worker) || gave;
  }
}

bool Producer::give_one(const std::string& instance, Worker& worker) {
  Entry* entry = worker.credit > 0 && giving() ? backlog_.next() : nullptr;
  if (!entry) return false;
  blocked_ = !note_given(*entry);
  if (blocked_) return false;
  --worker.credit;
  ++worker.in_flight;
  backlog_.give(*entry, instance, parts_.loop.now());
  tasks_.spawn(deliver(instance, entry->sequence));
  return true;
}

/// What is done at most once must be known as begun before it is.
bool Producer::note_given(const Entry& entry) {
  if (rules().delivery != Delivery::at_most_once || rules().durability == Durability::none) return true;
  auto place = journal();
  if (!place) return false;
  StoredNote note;
  note.given = true;
  (*place)->put(key_of("n/", entry.id), stored(note));
  return (*place)->flush().has_value();
}

void Producer::make_offers() {
  const TimePoint now = parts_.loop.now();
  for (auto& [instance, worker] : workers_) {
    if (worker.offering || worker.credit > 0 || worker.not_before > now) continue;
    worker.offering = true;
    worker.withdrawn = false;
    tasks_.spawn(offer(instance));
  }
}

/// Not by cancelling: a grant that is on its way would be lost, and its slot with it for two seconds.
void Producer::withdraw() {
  for (auto& [instance, worker] : workers_) {
    const bool held = worker.offering && !std::exchange(worker.withdrawn, true);
    if (held || worker.credit > 0) give_back(instance, worker);
  }
}

void Producer::give_back(const std::string& instance, Worker& worker) {
  tasks_.spawn(return_credit(instance, std::exchange(worker.credit, 0)));
}

/// Wakes at what comes first: an item that has rested, a worker that is asked again after its refusal, or a disk that
/// is tried again.
void Producer::arm() {
  auto next = backlog_.next_wake();
  if (std::exchange(blocked_, false)) next = parts_.loop.now() + kDiskRetry;
  if (backlog_.ready() > 0 && giving()) {
    for (const auto& [instance, worker] : workers_) {
      if (!worker.offering && worker.credit == 0 && (!next || worker.not_before < *next)) next = worker.not_before;
    }
  }
  timer_.stop();
  if (next) timer_.start(std::max(*next - parts_.loop.now(), Duration(1ms)), [this] { pump(); });
}

}  // namespace weft::queue
