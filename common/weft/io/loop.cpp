// IoLoop: Asio waits; what to run is kept here, so that posting, timers that are cancelled and turn ends need no system
// call. Each round of run() is at most one completion of Asio, a batch of posted work and the timers that are due.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "weft/io/io.hpp"

namespace weft::io {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kBatchMax = 1024;  // posted callbacks, and timers, of one round; the rest waits for the next

/// What any thread may add to.
class Inbox {
 public:
  /// True when it was empty.
  bool push(Callback work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    return work_.size() == 1;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return work_.empty();
  }
  void swap(std::vector<Callback>& other) {
    const std::lock_guard lock(mutex_);
    work_.swap(other);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Callback> work_;
};

struct Watch {
  Watch(asio::io_context& context, int fd, Callback work) : descriptor(context, fd), on_readable(std::move(work)) {}
  ~Watch() { descriptor.release(); }  // the descriptor is its owner's to close
  /// Safe inside the callback too. What the callback owns goes at once, not when Asio lets go of its wait.
  void end() noexcept {
    live = false;
    descriptor.release();
    if (!running) Callback(std::move(on_readable));
  }
  asio::posix::stream_descriptor descriptor;
  Callback on_readable;
  bool live = true, running = false;
};

}  // namespace

struct IoLoop::Impl {
  SystemClock clock;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  asio::steady_timer alarm{context};
  std::optional<TimePoint> alarm_at;
  TimerQueue timers;
  std::unordered_map<Id, std::shared_ptr<Watch>> watches;
  Id last_watch = 0;
  Inbox inbox;
  std::vector<Callback> batch;  // taken from the inbox; what lies before batch_next has run
  std::size_t batch_next = 0;
  std::vector<Callback> turn_end, turn_end_running;
  std::atomic<std::thread::id> owner;
  std::atomic<bool> stopping{false};
  TimePoint turn_time = clock.now();
  std::atomic<std::int64_t> turn_began{0};  // steady nanoseconds; 0: asleep

  void begin_turn() noexcept {
    turn_time = clock.now();
    turn_began.store(turn_time.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void wake() {
    asio::post(context, [] {});
  }
  bool on_own_thread() const noexcept { return owner.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  void end_turn() {
    turn_end_running.swap(turn_end);
    for (auto& work : turn_end_running) work();
    turn_end_running.clear();
  }

  bool posted() const { return batch_next < batch.size() || !inbox.empty(); }
  void run_posted() {
    if (batch_next == batch.size()) {
      batch.clear();
      batch_next = 0;
      inbox.swap(batch);
    }
    if (batch.empty()) return;
    begin_turn();
    const std::size_t end = std::min(batch.size(), batch_next + kBatchMax);
    while (batch_next < end) {
      Callback work = std::move(batch[batch_next++]);
      work();
    }
    end_turn();
  }

  /// True when a timer is due; else sees to it that the alarm rings in time for the first one.
  bool due_or_armed() {
    const auto first = timers.earliest();
    if (!first || (alarm_at && *alarm_at <= *first)) return false;
    if (*first <= clock.now()) return true;
    alarm_at = *first;
    alarm.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(*first));
    alarm.async_wait([this](const boost::system::error_code& aborted) {
      if (!aborted) alarm_at.reset();  // the round goes on with run_due()
    });
    return false;
  }
  void run_due() {
    const auto first = timers.earliest();
    if (!first || (alarm_at && *alarm_at <= *first)) return;
    const auto now = clock.now();
    if (*first > now) return;
    begin_turn();
    for (std::size_t left = kBatchMax; left > 0; --left) {
      auto work = timers.take_due(now);
      if (!work) break;
      work();
    }
    end_turn();
  }

  void wait(const std::shared_ptr<Watch>& watch) {
    watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                 [this, watch](const boost::system::error_code& failed) {
                                   if (!watch->live) return;
                                   if (failed)
                                     throw boost::system::system_error(failed, "watch: not a descriptor to wait for");
                                   begin_turn();
                                   watch->running = true;
                                   watch->on_readable();
                                   watch->running = false;
                                   watch->live ? wait(watch) : watch->end();
                                 });
  }

  void round() {
    const bool busy = posted() || !turn_end.empty() || due_or_armed();
    if (!busy) turn_began.store(0, std::memory_order_relaxed);
    (void)(busy ? context.poll_one() : context.run_one());
    end_turn();
    run_due();
    run_posted();
  }
};

IoLoop::IoLoop() : impl_(std::make_unique<Impl>()) {}

IoLoop::~IoLoop() {
  // What callbacks own may cancel timers and watches of this loop as it goes, so they go before the loop's own parts.
  for (auto& [id, watch] : std::exchange(impl_->watches, {})) watch->end();
  impl_->turn_end.clear();
  while (impl_->timers.take_due(TimePoint::max())) {
  }
  std::vector<Callback> rest;
  impl_->inbox.swap(rest);
  rest.clear();
  impl_->batch.clear();
}

const Clock& IoLoop::clock() const noexcept { return impl_->clock; }

TimePoint IoLoop::turn_time() const noexcept {
  const bool in_turn = impl_->turn_began.load(std::memory_order_relaxed) != 0;
  return in_turn ? impl_->turn_time : impl_->clock.now();
}
void IoLoop::post(Callback work) {
  // A loop that is running looks into the inbox before it sleeps; only others have to wake it.
  if (impl_->inbox.push(std::move(work)) && !impl_->on_own_thread()) impl_->wake();
}

void IoLoop::at_turn_end(Callback work) { impl_->turn_end.push_back(std::move(work)); }

Loop::Id IoLoop::at(TimePoint when, Callback work) { return impl_->timers.add(when, std::move(work)); }

void IoLoop::cancel(Id timer) noexcept { impl_->timers.cancel(timer); }

Loop::Id IoLoop::watch(int fd, Callback on_readable) {
  auto watch = std::make_shared<Watch>(impl_->context, fd, std::move(on_readable));
  impl_->watches.emplace(++impl_->last_watch, watch);
  impl_->wait(watch);
  return impl_->last_watch;
}

void IoLoop::unwatch(Id id) noexcept {
  auto found = impl_->watches.extract(id);
  if (found) found.mapped()->end();
}

void IoLoop::run() {
  impl_->owner = std::this_thread::get_id();
  while (!impl_->stopping.exchange(false)) impl_->round();
  impl_->owner = std::thread::id();
  impl_->turn_began = 0;
}

void IoLoop::stop() {
  impl_->stopping = true;
  if (!impl_->on_own_thread()) impl_->wake();
}

asio::io_context& IoLoop::context() noexcept { return impl_->context; }

Duration IoLoop::stuck_for() const noexcept {
  const auto began = impl_->turn_began.load(std::memory_order_relaxed);
  return began == 0 ? Duration::zero() : impl_->clock.now().time_since_epoch() - Duration(began);
}

}  // namespace weft::io
