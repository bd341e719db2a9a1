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
  SystemClock clock_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  asio::steady_timer alarm_{context_};
  std::optional<TimePoint> alarm_at_;
  TimerQueue timers_;
  std::unordered_map<Id, std::shared_ptr<Watch>> watches_;
  Id last_watch_ = 0;
  Inbox inbox_;
  std::vector<Callback> batch_;  // taken from the inbox; what lies before batch_next has run
  std::size_t batch_next_ = 0;
  std::vector<Callback> turn_end_, turn_end_running_;
  std::atomic<std::thread::id> owner_;
  std::atomic<bool> stopping_{false};
  TimePoint turn_time_ = clock_.now();
  std::atomic<std::int64_t> turn_began_{0};  // steady nanoseconds; 0: asleep

  void begin_turn() noexcept {
    turn_time_ = clock_.now();
    turn_began_.store(turn_time_.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void wake() {
    asio::post(context_, [] {});
  }
  bool on_own_thread() const noexcept { return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  void end_turn() {
    turn_end_running_.swap(turn_end_);
    for (auto& work : turn_end_running_) work();
    turn_end_running_.clear();
  }

  bool posted() const { return batch_next_ < batch_.size() || !inbox_.empty(); }
  void run_posted() {
    if (batch_next_ == batch_.size()) {
      batch_.clear();
      batch_next_ = 0;
      inbox_.swap(batch_);
    }
    if (batch_.empty()) return;
    begin_turn();
    const std::size_t end = std::min(batch_.size(), batch_next_ + kBatchMax);
    while (batch_next_ < end) {
      Callback work = std::move(batch_[batch_next_++]);
      work();
    }
    end_turn();
  }

  /// True when a timer is due; else sees to it that the alarm rings in time for the first one.
  bool due_or_armed() {
    const auto first = timers_.earliest();
    if (!first || (alarm_at_ && *alarm_at_ <= *first)) return false;
    if (*first <= clock_.now()) return true;
    alarm_at_ = *first;
    alarm_.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(*first));
    alarm_.async_wait([this](const boost::system::error_code& aborted) {
      if (!aborted) alarm_at_.reset();  // the round goes on with run_due()
    });
    return false;
  }
  void run_due() {
    const auto first = timers_.earliest();
    if (!first || (alarm_at_ && *alarm_at_ <= *first)) return;
    const auto now = clock_.now();
    if (*first > now) return;
    begin_turn();
    for (std::size_t left = kBatchMax; left > 0; --left) {
      auto work = timers_.take_due(now);
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
                                   if (watch->live) {
                                     wait(watch);
                                   } else {
                                     watch->end();
                                   }
                                 });
  }

  void round() {
    const bool busy = posted() || !turn_end_.empty() || due_or_armed();
    if (!busy) turn_began_.store(0, std::memory_order_relaxed);
    (void)(busy ? context_.poll_one() : context_.run_one());
    end_turn();
    run_due();
    run_posted();
  }
};

IoLoop::IoLoop() : impl_(std::make_unique<Impl>()) {}

IoLoop::~IoLoop() {
  // What callbacks own may cancel timers and watches of this loop as it goes, so they go before the loop's own parts.
  for (auto& [id, watch] : std::exchange(impl_->watches_, {})) watch->end();
  impl_->turn_end_.clear();
  while (impl_->timers_.take_due(TimePoint::max())) {
  }
  std::vector<Callback> rest;
  impl_->inbox_.swap(rest);
  rest.clear();
  impl_->batch_.clear();
}

const Clock& IoLoop::clock() const noexcept { return impl_->clock_; }

TimePoint IoLoop::turn_time() const noexcept {
  const bool in_turn = impl_->turn_began_.load(std::memory_order_relaxed) != 0;
  return in_turn ? impl_->turn_time_ : impl_->clock_.now();
}
void IoLoop::post(Callback work) {
  // A loop that is running looks into the inbox before it sleeps; only others have to wake it.
  if (impl_->inbox_.push(std::move(work)) && !impl_->on_own_thread()) impl_->wake();
}

void IoLoop::at_turn_end(Callback work) { impl_->turn_end_.push_back(std::move(work)); }

Loop::Id IoLoop::at(TimePoint when, Callback work) { return impl_->timers_.add(when, std::move(work)); }

void IoLoop::cancel(Id timer) noexcept { impl_->timers_.cancel(timer); }

Loop::Id IoLoop::watch(int fd, Callback on_readable) {
  auto watch = std::make_shared<Watch>(impl_->context_, fd, std::move(on_readable));
  impl_->watches_.emplace(++impl_->last_watch_, watch);
  impl_->wait(watch);
  return impl_->last_watch_;
}

void IoLoop::unwatch(Id id) noexcept {
  auto found = impl_->watches_.extract(id);
  if (found) found.mapped()->end();
}

void IoLoop::run() {
  impl_->owner_ = std::this_thread::get_id();
  while (!impl_->stopping_.exchange(false)) impl_->round();
  impl_->owner_ = std::thread::id();
  impl_->turn_began_ = 0;
}

void IoLoop::stop() {
  impl_->stopping_ = true;
  if (!impl_->on_own_thread()) impl_->wake();
}

asio::io_context& IoLoop::context() noexcept { return impl_->context_; }

Duration IoLoop::stuck_for() const noexcept {
  const auto began = impl_->turn_began_.load(std::memory_order_relaxed);
  return began == 0 ? Duration::zero() : impl_->clock_.now().time_since_epoch() - Duration(began);
}

}  // namespace weft::io
