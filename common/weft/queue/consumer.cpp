#include "weft/queue/consumer.hpp"

#include <algorithm>

namespace weft::queue {
namespace {
constexpr Duration kHold = 10s;  // an offer; then its producer asks again
constexpr Duration kSweep = 1s;
constexpr std::size_t kOffersMax = 10'000;
constexpr std::size_t kLatePerSlot = 4;
constexpr std::string_view kItems = "weft_queue_items_handled_total",
                           kItemsHelp = "Items of work queues handled here, by method and outcome";

Error no_item(const std::string& method, const std::string& why) {
  return Error(codes::bad_payload, "'" + method + "' is a work queue, and this is no item of one: " + why,
               "weft queue push, or queue::Queues::push(), puts items into it");
}
}  // namespace

struct Consumer::Holding {
  Consumer& consumer;
  const std::string& producer;
  std::uint64_t token;
  Lifetime::Watch watch;
  ~Holding() {
    if (!watch.alive()) return;
    const auto found = consumer.held_.find(producer);
    if (found == consumer.held_.end() || found->second.token != token) return;
    consumer.held_.erase(found);
    consumer.slots_.offer(producer, 0);
  }
};

struct Consumer::Running {
  Consumer& consumer;
  Slots::Ticket ticket;
  Lifetime::Watch watch;
  void finish() {
    if (auto one = std::exchange(ticket, 0); one != 0) consumer.slots_.finished(one);
  }
  ~Running() {
    if (ticket == 0 || !watch.alive()) return;
    finish();
    consumer.loop_.post([&to = consumer, watch = watch] {
      if (!watch.alive()) return;
      to.start_late();
      (void)to.share();
    });
  }
};

Consumer::Consumer(Loop& loop, mesh::Mesh& mesh, const Options& options, std::string method, Handler handler,
                   ServeOptions serve, observe::Metrics& metrics, observe::Log& log)
    : loop_(loop),
      mesh_(mesh),
      options_(options),
      method_(std::move(method)),
      handler_(std::move(handler)),
      log_(log),
      slots_(std::max<std::size_t>(serve.concurrency, 1)),
      sweep_(loop),
      done_total_(metrics.counter(kItems, kItemsHelp, {{"endpoint", method_}, {"outcome", "done"}})),
      failed_total_(metrics.counter(kItems, kItemsHelp, {{"endpoint", method_}, {"outcome", "failed"}})) {
  auto& running =
      metrics.gauge("weft_queue_items_running", "Items of work queues being handled", {{"endpoint", method_}});
  auto& stuck = metrics.gauge("weft_queue_worker_stuck",
                              "1 while an item is past its time limit, and no more are taken", {{"endpoint", method_}});
  metrics.on_collect(lifetime_.guard([this, &running, &stuck] {
    running.set(static_cast<double>(slots_.running()));
    stuck.set(slots_.stuck(loop_.now()) ? 1 : 0);
  }));
}

Consumer::~Consumer() = default;

Task<Result<wire::Payload>> Consumer::offer(Offer offer, const calls::Call& call) {
  if (stopped_) co_return Error(codes::draining, "agent '" + options_.agent + "' on " + options_.host + " is stopping");
  if (held_.size() >= kOffersMax && !held_.contains(offer.producer))
    co_return Error(codes::queue_full, std::to_string(held_.size()) + " producers offer items already");
  answer(offer.producer, 0);
  slots_.give_back(offer.producer, offer.unused);
  slots_.offer(offer.producer, offer.waiting);
  Completion<Answer> completion;
  const std::uint64_t token = ++last_token_;
  Holding holding{*this, offer.producer, token, lifetime_.watch()};
  if (offer.waiting > 0) {
    held_.emplace(offer.producer, Held{token, &call, loop_.now() + kHold, completion.completer()});
    if (!sweep_.running()) sweep_.start(kSweep, [this] { sweep(); });
  }
  (void)share();
  if (offer.waiting == 0) co_return wire::Payload::of(Grant{});
  auto granted = co_await completion;
  if (!granted) co_return granted.error();
  const Grant grant{*granted};
  co_return wire::Payload::of(grant);
}

void Consumer::answer(const std::string& producer, Answer answer) {
  const auto found = held_.find(producer);
  if (found == held_.end()) return;
  auto completer = std::move(found->second.completer);
  held_.erase(found);
  slots_.offer(producer, 0);
  completer.complete(std::move(answer));
}

std::uint64_t Consumer::share(const std::string& answering) {
  std::uint64_t own = 0;
  while (!stopped_ && share_once(answering, own)) {
  }
  return own;
}

/// True when something came back, so that there is more to share.
bool Consumer::share_once(const std::string& answering, std::uint64_t& own) {
  bool again = false;
  for (const auto& [producer, items] : slots_.grant(loop_.now())) {
    if (producer == answering) {
      own += items;
      continue;
    }
    const auto found = held_.find(producer);
    const bool alive = found != held_.end() && found->second.alive();
    if (!alive) {
      again = true;
      slots_.give_back(producer, items);
    }
    answer(producer, alive ? items : 0);
  }
  return again;
}

void Consumer::sweep() {
  std::vector<std::string> ended;
  for (const auto& [producer, held] : held_) {
    if (!held.alive() || held.until <= loop_.now()) ended.push_back(producer);
  }
  for (const auto& producer : ended) answer(producer, 0);
  (void)share();
  if (!held_.empty()) sweep_.start(kSweep, [this] { sweep(); });
}

void Consumer::start_late() {
  while (!late_.empty() && slots_.running() + slots_.reserved() < slots_.concurrency()) {
    auto next = std::move(late_.front());
    late_.pop_front();
    next.complete(true);  // takes its slot before this returns
  }
}

Task<Result<wire::Payload>> Consumer::work(const calls::Call& call) {
  auto read = call.payload().as<Work>();
  if (!read) co_return no_item(method_, read.error().message);
  Work& work = *read;
  if (work.id.is_nil() || work.producer.empty()) co_return no_item(method_, "it has no id or no producer");
  if (work.encoding > static_cast<std::uint8_t>(wire::Encoding::json))
    co_return no_item(method_, "its payload has an unknown encoding");
  const wire::Payload payload(static_cast<wire::Encoding>(work.encoding), std::move(work.payload));
  if (!slots_.arrived(work.producer, loop_.now())) {
    if (late_.size() >= kLatePerSlot * slots_.concurrency())
      co_return Error(codes::queue_full, "'" + method_ + "' has no room for an item that nobody asked for");
    Completion<bool> turn;
    late_.push_back(turn.completer());
    (void)co_await turn;
  }
  const TimePoint deadline = call.has_deadline() ? call.deadline() : TimePoint::max();
  Running running{*this, slots_.take(work.producer, deadline), lifetime_.watch()};
  auto outcome = co_await handle(work, payload, call);
  running.finish();
  Done done;
  if (outcome) {
    ++finished_;
    done_total_.add();
    done.encoding = static_cast<std::uint8_t>(outcome->encoding);
    done.payload = std::move(outcome->bytes);
  } else {
    ++failed_;
    failed_total_.add();
    done.failure = Failure::of(outcome.error());
  }
  start_late();
  done.want = want_of(work);
  co_return wire::Payload::of(done);
}

/// With the answer goes what its producer may send next, when it is its turn. Otherwise others get it.
std::uint64_t Consumer::want_of(const Work& work) {
  const bool held = held_.contains(work.producer);
  const std::uint64_t known = held ? slots_.offered(work.producer) : 0;
  slots_.offer(work.producer, std::max(known, work.more));
  const std::uint64_t want = share(work.producer);
  if (!held) {
    slots_.offer(work.producer, 0);
  } else if (slots_.offered(work.producer) == 0) {
    answer(work.producer, 0);  // all of it was granted this way: what has come since is offered anew
  }
  return want;
}

Task<Result<wire::Payload>> Consumer::handle(const Work& work, const wire::Payload& payload, const calls::Call& call) {
  const Item item{work.id, work.attempt, work.priority, work.key, work.headers, work.pushed_us, payload, call};
  try {
    co_return co_await handler_(item);
  } catch (...) {
    co_return failed(work, what_of_with_stack(std::current_exception()));
  }
}

Error Consumer::failed(const Work& work, const ThrownFacts& thrown) {
  Error error(codes::handler_failed, method_ + " failed: " + thrown.text);
  log_.error("a handler threw", error,
             {{"method", method_}, {"exception", thrown.type}, {"item", work.id.to_string()}});
  ErrorEvent event;
  event.category = "handler";
  event.code = error.code;
  event.message = "a handler of " + method_ + " threw: {what}";
  event.exception = thrown.type;
  event.stack = thrown.stack;
  event.values = {{"method", method_}, {"what", thrown.text}, {"item", work.id.to_string()}, {"attempt", work.attempt}};
  mesh_.report(std::move(event));
  return error;
}

void Consumer::stop() {
  stopped_ = true;
  while (!held_.empty()) {
    const std::string producer = held_.begin()->first;
    answer(producer, Error(codes::draining, "agent '" + options_.agent + "' on " + options_.host + " is stopping"));
  }
}

ServedInfo Consumer::info() const {
  ServedInfo info;
  info.queue = options_.agent + "." + method_;
  info.host = options_.host;
  info.instance = options_.instance;
  info.concurrency = slots_.concurrency();
  info.running = slots_.running();
  info.offers = held_.size();
  info.finished = finished_;
  info.failed = failed_;
  info.stuck = slots_.stuck(loop_.now());
  return info;
}

}  // namespace weft::queue
