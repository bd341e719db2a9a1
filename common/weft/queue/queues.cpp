// Queues: the door's object: finds the queue of a push, answers offers, and what people ask.
#include <algorithm>
#include <map>

#include "weft/base/lifetime.hpp"
#include "weft/queue/consumer.hpp"
#include "weft/queue/producer.hpp"

namespace weft::queue {
namespace {

constexpr Duration kLook = 5ms;  // while draining
constexpr Duration kRestoreAgain = 1s;
constexpr std::size_t kQueuesMax = 10'000;

}  // namespace

struct Queues::Impl {
  Impl(Loop& loop, mesh::Mesh& mesh, Options options, observe::Metrics& metrics, observe::Log& log)
      : loop_(loop),
        mesh_(mesh),
        options_(std::move(options)),
        metrics_(metrics),
        log_(log),
        journals_(loop, log, options_.file) {
    mesh_.watch(lifetime_.guard([this](const wire::InstanceRecord& record, const wire::Removal* gone) {
      for (auto& [target, producer] : producers_) {
        if (gone) {
          producer->worker_gone(record.instance);
        } else {
          producer->worker_seen(record);
        }
      }
    }));
    metrics_.on_collect(lifetime_.guard([this] { collect(); }));
    journals_.on_damage = [this](const Error& why) {
      report_damage("what a queue kept on disk was damaged: {why}", why);
    };
    journals_.on_failure = [this](const Error& why) {
      report("the file of the queues cannot be opened, items that must be kept are refused: {why}", why);
    };
  }

  // ---- producers

  Producer& producer(const Target& target) {
    auto& one = producers_[target.text()];
    if (!one) {
      show();
      one = std::make_unique<Producer>(Parts{loop_, mesh_, options_, metrics_, log_, journals_, letters_, random_},
                                       target);
    }
    return *one;
  }

  /// Takes up what `journal` holds, in the order in which it was pushed.
  Result<void> restore(Journal& journal) {
    const auto unreadable_letter = [this](std::string_view id, const Error& why) {
      unreadable(id, "dead letter", why);
    };
    if (auto loaded = letters_.load(journal, unreadable_letter); !loaded) return loaded;
    auto entries = journal.list("i/");
    if (!entries) return entries.error();
    auto notes = journal.list("n/");
    if (!notes) return notes.error();
    std::map<std::string, StoredNote> noted;
    for (const auto& entry : *notes) {
      if (auto note = read_stored<StoredNote>(entry.value)) noted.emplace(entry.key.substr(2), std::move(*note));
    }
    std::vector<StoredItem> items;
    for (const auto& entry : *entries) {
      auto item = read_stored<StoredItem>(entry.value);
      const auto target = item ? Target::parse(item->queue) : Result<Target>(item.error());
      if (target) {
        items.push_back(std::move(*item));
      } else {
        unreadable(entry.key.substr(2), "item", target.error());
      }
    }
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
      return std::tie(a.queue, a.sequence) < std::tie(b.queue, b.sequence);
    });
    for (auto& item : items) {
      const std::string key = item.queue + "/" + item.id.to_string();
      Producer& to = producer(Target::parse(item.queue).value());
      if (!noted.contains(key)) noted[key].given = journal.mended;  // its note may be what is missing
      to.restore(std::move(item), std::move(noted[key]));
    }
    return {};
  }

  /// What is damaged stays in its file, and costs nothing else.
  void unreadable(std::string_view where, const char* what, const Error& why) {
    log_.error("what a former process kept cannot be read and is left where it is", why,
               {{"kind", what}, {"key", where}});
    report_damage("a kept " + std::string(what) + " cannot be read and is left in its file: {why}", why);
  }

  void report_damage(std::string message, const Error& why) {
    metrics_.counter("weft_queue_damaged_total", "Damaged files and records of queues that were found on disk").add();
    report(std::move(message), why);
  }

  void report(std::string message, const Error& why) {
    ErrorEvent event;
    event.category = "queue";
    event.code = std::string(codes::store_failed.id);
    event.message = std::move(message);
    event.values = {{"why", why.message}};
    mesh_.report(std::move(event));
  }

  /// A file that cannot be opened is tried again: the former process may just be ending.
  void start() {
    for (auto at = to_restore_.begin(); at != to_restore_.end();) {
      auto left = journals_.left(*at);
      if (!left) {
        ++at;
        continue;
      }
      at = to_restore_.erase(at);
      if (!*left) continue;
      if (auto restored = restore(**left); !restored)
        log_.error("the queues of a former process are not taken up", restored.error());
    }
    if (!letters_.queues().empty()) show();
    if (!to_restore_.empty()) again_.start(kRestoreAgain, [this] { start(); });
  }

  Result<Producer*> producer_for_push(const std::string& text) {
    const auto target = Target::parse(text);
    if (!target) return target.error();
    if (!producers_.contains(text) && producers_.size() >= kQueuesMax)
      return Error(codes::queue_full, "this process pushes to " + std::to_string(kQueuesMax) + " queues already");
    return &producer(*target);
  }

  // ---- what people ask

  /// From the first queue on, this process answers who asks about queues.
  void show() {
    if (std::exchange(shown_, true)) return;
    answer<QueuesRequest>("_queues", "the work queues of this process, for weft queue",
                          [this](const QueuesRequest& request) { return Result<QueuesReply>(info(request.queue)); });
    answer<DeadLettersRequest>("_dlq_list", "dead letters of this process, for weft dlq",
                               [this](const DeadLettersRequest& request) { return list(request); });
    answer<DeadLetterRequest>("_dlq_show", "one dead letter with its payload",
                              [this](const DeadLetterRequest& request) { return letter(request); });
    answer<ReplayRequest>("_dlq_replay", "puts dead letters into their queues again",
                          [this](const ReplayRequest& request) { return replay(request); });
    answer<PurgeRequest>("_dlq_purge", "forgets dead letters",
                         [this](const PurgeRequest& request) { return purge(request); });
  }

  /// People type these requests: a field that is unknown is an error.
  template <class Request, class Work>
  void answer(const char* method, const char* summary, Work work) {
    peer::serve<Request>(mesh_, {method, summary}, std::move(work), Unknown::refuse);
  }

  QueuesReply info(std::string_view queue) const {
    QueuesReply reply;
    for (const auto& [target, one] : producers_) {
      if (queue.empty() || target == queue) reply.queues.push_back(one->info());
    }
    for (const auto& [method, one] : consumers_) {
      if (queue.empty() || options_.agent + "." + method == queue) reply.served.push_back(one->info());
    }
    return reply;
  }

  Result<DeadLettersReply> list(const DeadLettersRequest& request) const {
    DeadLettersReply reply;
    const auto all = letters_.newest_first(request.queue);
    reply.total = all.size();
    for (const auto* one : all) {
      if (reply.letters.size() >= request.limit) break;
      reply.letters.push_back(*one);
    }
    return reply;
  }

  Result<DeadLetterReply> letter(const DeadLetterRequest& request) {
    auto payload = letters_.payload(request.id);
    if (!payload) return payload.error();
    return DeadLetterReply{*letters_.find(request.id), static_cast<std::uint8_t>(payload->encoding),
                           std::move(payload->bytes)};
  }

  Result<ReplayReply> replay(const ReplayRequest& request) {
    ReplayReply reply;
    if (request.encoding && *request.encoding > static_cast<std::uint8_t>(wire::Encoding::json))
      return Error(codes::bad_value, "no encoding " + std::to_string(*request.encoding));
    for (const auto& id : request.ids) {
      const DeadLetter* found = letters_.find(id);
      if (!found) {
        reply.unknown.push_back(id);
        continue;
      }
      auto payload = letters_.payload(id);
      if (request.encoding) payload = wire::Payload(static_cast<wire::Encoding>(*request.encoding), request.payload);
      if (!payload) return payload.error();
      const auto target = Target::parse(found->queue);
      if (!target) return target.error();
      if (auto pushed = producer(*target).replay(*found, std::move(*payload)); !pushed) return pushed.error();
      (void)letters_.remove(id);  // written with the item, in one transaction
      ++reply.replayed;
    }
    return reply;
  }

  Result<PurgeReply> purge(const PurgeRequest& request) {
    PurgeReply reply;
    const std::int64_t before = to_us(loop_.clock().wall()) - request.older_us;
    std::vector<std::string> ids = request.ids;
    if (ids.empty()) {
      for (const auto* one : letters_.newest_first(request.queue)) ids.push_back(one->id.to_string());
    }
    for (const auto& id : ids) {
      const DeadLetter* found = letters_.find(id);
      if (found && (request.older_us == 0 || found->died_us <= before)) reply.purged += letters_.remove(id) ? 1U : 0U;
    }
    return reply;
  }

  // ---- metrics

  void gauge(const char* name, const char* help, observe::Labels labels, double value) {
    metrics_.gauge(name, help, labels).set(value);
  }

  void collect() {
    for (const auto& [target, one] : producers_) {
      const QueueInfo info = one->info();
      const auto depth = [&](const char* priority, std::uint64_t items) {
        gauge("weft_queue_depth", "Items waiting, by priority", {{"queue", target}, {"priority", priority}},
              static_cast<double>(items));
      };
      depth("high", info.high);
      depth("normal", info.normal);
      depth("low", info.low);
      gauge("weft_queue_in_flight", "Items with a worker", {{"queue", target}}, static_cast<double>(info.in_flight));
      gauge("weft_queue_bytes", "What unfinished items hold", {{"queue", target}}, static_cast<double>(info.bytes));
      gauge("weft_queue_oldest_item_age_seconds", "Age of the oldest unfinished item", {{"queue", target}},
            static_cast<double>(info.oldest_us) / 1e6);
      gauge("weft_queue_workers", "Live instances that work on the queue", {{"queue", target}},
            static_cast<double>(info.workers.size()));
    }
    for (const auto& queue : letters_.queues()) seen_dead_.insert(queue);
    for (const auto& queue : seen_dead_) {
      gauge("weft_dlq_messages", "Dead letters", {{"queue", queue}}, static_cast<double>(letters_.count(queue)));
      const auto oldest = letters_.oldest_us(queue);
      const double age = oldest ? static_cast<double>(to_us(loop_.clock().wall()) - *oldest) / 1e6 : 0;
      gauge("weft_dlq_oldest_message_age_seconds", "Age of the oldest dead letter", {{"queue", queue}}, age);
    }
  }

  // ---- consumers

  void serve(std::string method, Handler handler, ServeOptions serve) {
    show();
    if (consumers_.empty()) {
      peer::serve<Offer>(mesh_, {"_offer", "items of a work queue are offered to this process"},
                         [this](Offer offered, calls::Call& call) { return offer(std::move(offered), call); });
    }
    wire::MethodInfo info{method, serve.summary, "queue"};
    auto made = std::make_unique<Consumer>(loop_, mesh_, options_, method, std::move(handler), std::move(serve),
                                           metrics_, log_);
    mesh_.serve(std::move(info), [consumer = made.get()](calls::Call& call) { return consumer->work(call); });
    consumers_.emplace(std::move(method), std::move(made));
  }

  Task<Result<wire::Payload>> offer(Offer offer, const calls::Call& call) {
    const auto found = consumers_.find(offer.queue);
    if (found == consumers_.end()) {
      co_return Error(codes::no_such_method, "agent '" + options_.agent + "' does not work on a queue '" +
                                                 offer.queue.substr(0, kNameMax) + "'");
    }
    co_return co_await found->second->offer(std::move(offer), call);
  }

  // ---- the end

  bool idle() const {
    return std::all_of(producers_.begin(), producers_.end(), [](const auto& one) { return one.second->drained(); }) &&
           std::all_of(consumers_.begin(), consumers_.end(),
                       [](const auto& one) { return one.second->running() == 0; });
  }

  void abandon() {
    for (auto& [target, one] : producers_) {
      const std::size_t left = one->abandon();
      if (left == 0) continue;
      log_.error("items that were in memory only are lost", {{"queue", target}, {"items", left}});
      ErrorEvent event;
      event.category = "queue";
      event.code = std::string(codes::draining.id);
      event.message = "{items} items of {queue} were in memory only when their producer stopped";
      event.values = {{"queue", target}, {"items", left}};
      mesh_.report(std::move(event));
    }
    journals_.flush();
  }

  Loop& loop_;
  mesh::Mesh& mesh_;
  const Options options_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  Random random_ = Random::from_os();
  Journals journals_;
  DeadLetters letters_;
  std::map<std::string, std::unique_ptr<Producer>> producers_;
  std::map<std::string, std::unique_ptr<Consumer>> consumers_;
  std::set<std::string> seen_dead_;
  std::vector<Durability> to_restore_{Durability::os, Durability::fsync};
  Timer again_{loop_};
  bool shown_ = false;
  Lifetime lifetime_;
};

Queues::Queues(Loop& loop, mesh::Mesh& mesh, Options options, observe::Metrics& metrics, observe::Log& log)
    : impl_(std::make_unique<Impl>(loop, mesh, std::move(options), metrics, log)) {}
Queues::~Queues() = default;

void Queues::start() { impl_->start(); }

void Queues::serve(std::string method, Handler handler, ServeOptions options) {
  impl_->serve(std::move(method), std::move(handler), std::move(options));
}

Task<Result<Receipt>> Queues::push(std::string target, wire::Payload payload, PushOptions options) {
  auto producer = impl_->producer_for_push(target);
  if (!producer) co_return producer.error();
  co_return co_await (*producer)->push(std::move(payload), std::move(options));
}

Task<void> Queues::drain(Duration budget) {
  auto& i = *impl_;
  const TimePoint end = i.loop_.now() + budget;
  for (auto& [target, one] : i.producers_) one->stop();
  for (auto& [method, one] : i.consumers_) one->stop();
  while (!i.idle() && i.loop_.now() < end) co_await sleep_for(i.loop_, kLook);
  i.abandon();
}

QueuesReply Queues::info(std::string_view queue) const { return impl_->info(queue); }

}  // namespace weft::queue
