// The parallel scheduler: each worker has a ring of ready cells that others steal half of in constant time (the scheme
// of Go's scheduler), a list of those pinned to it, and sleeps on a futex of its own.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <deque>
#include <span>
#include <stdexcept>
#include <thread>

#include "weft/actor/runtime/due_times.hpp"
#include "weft/actor/runtime/futex.hpp"
#include "weft/actor/runtime/ready_ring.hpp"
#include "weft/actor/runtime/runtime_inline.hpp"
#include "weft/base/alternate_stack.hpp"

namespace weft::actor {
namespace {

constexpr std::uint32_t kClockTurns = 32;   // between two looks at the clock
constexpr std::uint32_t kSharedTurns = 61;  // between two looks at the shared list while there is own work
constexpr Duration kLongTurn = 500us;       // of a mailbox that many fill
constexpr Duration kShortSleep = 50us, kLookAround = 30us;
constexpr unsigned kRestless = 2;      // short sleeps in a row, then it looks around
constexpr Duration kStuckPoll = 1ms;   // a sleeper looks that often for work behind a turn that does not end
constexpr Duration kIdlePoll = 100ms;  // and that often whether another worker has been woken

struct alignas(64) Worker {
  Local local;
  unsigned index = 0;
  std::uint32_t tick = 0;
  bool woken = false;             // and has not found work yet
  std::vector<Cell*> pinned_now;  // taken from pinned; run from pinned_next on
  std::size_t pinned_next = 0;
  unsigned restless = 0;  // short sleeps in a row that were ended by a wake
  std::thread thread;
  std::vector<DueTimes::Entry> due;  // of the last time that came
  std::vector<std::uint32_t> seen;   // turns of the others at the last poll
  alignas(64) ReadyRing ring;
  alignas(64) std::atomic<std::uint32_t> pinned_count{0};
  std::mutex pinned_mutex;
  std::vector<Cell*> pinned;             // ready, to run here only
  std::atomic<std::uint32_t> parked{0};  // a futex: 1 while it sleeps
  std::atomic<std::uint32_t> turns{0};
};

class Parallel final : public Scheduler {
 public:
  explicit Parallel(ParallelOptions options) : options_(std::move(options)) {
    constexpr unsigned kMax = 250;
    unsigned count = options_.workers == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options_.workers;
    if (count > kMax) throw std::invalid_argument("workers: at most " + std::to_string(kMax));
    if (!options_.cores.empty() && options_.cores.size() != count)
      throw std::invalid_argument("cores: one for each worker, or none");
    for (unsigned i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>());
  }
  ~Parallel() override { Parallel::stop(); }

  const Clock& clock() const noexcept override { return clock_; }
  unsigned workers() const noexcept override { return static_cast<unsigned>(workers_.size()); }

 private:
  void start(Runtime& runtime) override {
    runtime_ = &runtime;
    cpu_set_t set;
    has_cores_ = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
    for (unsigned i = 0; i < workers_.size(); ++i) {
      workers_[i]->index = i;
      workers_[i]->seen.resize(workers_.size());
    }
    for (const auto& worker : workers_) {
      worker->thread = std::thread([this, &each = *worker] {
        const AlternateStack for_signals;
        work(each);
      });
    }
  }
  void stop() noexcept override {
    stopping_.store(true, std::memory_order_seq_cst);
    for (auto& worker : workers_) wake(*worker);
    for (auto& worker : workers_) {
      if (worker->thread.joinable()) worker->thread.join();
    }
  }
  bool drive(Duration at_most) override {
    std::this_thread::sleep_for(at_most);
    return true;
  }
  bool nothing_else(const Local& local) const noexcept override {
    const auto& worker = *static_cast<const Worker*>(local.worker);
    return worker.ring.size() == 0 && worker.pinned_next == worker.pinned_now.size() &&
           worker.pinned_count.load(std::memory_order_relaxed) == 0;
  }
  void ready(Cell& cell) noexcept override;
  void wake_at(TimePoint when, Cell& cell, std::uint32_t generation) override;

  Worker* own() const noexcept {
    Local* here = runtime_->own_local();
    return here ? static_cast<Worker*>(here->worker) : nullptr;
  }
  void work(Worker& worker);
  Cell* next(Worker& worker);
  static Cell* take_pinned(Worker& worker);
  Cell* take_shared(Worker& worker) noexcept;
  Cell* steal(Worker& worker) noexcept;
  void push_own(Worker& worker, Cell& cell);
  void push_shared(std::span<Cell* const> cells);
  bool has_work(const Worker& worker) const noexcept;
  void park(Worker& worker);
  bool look_around(Worker& worker);
  Duration keep_time(Worker& worker, TimePoint now, int sleepers, bool& polls);
  void poll_stuck(Worker& worker) noexcept;
  bool fire_timers(Worker& worker);
  bool wake(Worker& worker) noexcept {
    if (worker.parked.load(std::memory_order_seq_cst) != 1 || worker.parked.exchange(0, std::memory_order_seq_cst) != 1)
      return false;
    futex::wake(worker.parked, 1);
    return true;
  }
  void wake_one() noexcept;
  void pass_on(const Worker& worker) noexcept;

  const ParallelOptions options_;
  SystemClock clock_;
  Runtime* runtime_ = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool has_cores_ = false;  // more than one to run on
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<int> asleep_{0};
  std::atomic<bool> searching_{false};  // a woken worker has not found work yet
  std::atomic<int> timekeeper_{-1};     // the sleeping worker that watches the clock
  alignas(64) std::atomic<std::uint32_t> shared_count_{0};
  std::mutex shared_mutex_;
  std::deque<Cell*> shared_;
  alignas(64) DueTimes timers_;
};

void Parallel::work(Worker& worker) {
  if (!options_.cores.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(options_.cores[worker.index]), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  }
  worker.local.worker = &worker;
  runtime_->attach(worker.local);
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (++worker.tick % kClockTurns == 0) {
      runtime_->refresh(worker.local);
      fire_timers(worker);
    }
    if (Cell* cell = next(worker)) {
      if (std::exchange(worker.woken, false)) pass_on(worker);
      worker.turns.store(worker.tick, std::memory_order_relaxed);
      worker.local.lingers = has_cores_ && worker.restless >= kRestless;
      runtime_->run(*cell, worker.local, Runtime::kTurnMessages, kLongTurn);
    } else {
      park(worker);
    }
  }
  runtime_->detach(worker.local);
}

Cell* Parallel::next(Worker& worker) {
  if (worker.tick % kSharedTurns == 0) {
    if (Cell* cell = take_shared(worker)) return cell;
  }
  if (worker.tick % 2 == 0) {
    if (Cell* cell = take_pinned(worker)) return cell;
  }
  if (Cell* cell = worker.ring.pop(workers_.size() == 1)) return cell;
  if (Cell* cell = take_pinned(worker)) return cell;
  if (Cell* cell = take_shared(worker)) return cell;
  return steal(worker);
}

Cell* Parallel::take_pinned(Worker& worker) {
  if (worker.pinned_count.load(std::memory_order_relaxed) != 0) {  // they queue behind its own work, whatever that does
    if (worker.pinned_next == worker.pinned_now.size()) {
      worker.pinned_now.clear();
      worker.pinned_next = 0;
    }
    const std::lock_guard lock(worker.pinned_mutex);
    if (worker.pinned_now.empty()) {
      worker.pinned_now.swap(worker.pinned);
    } else {
      worker.pinned_now.insert(worker.pinned_now.end(), worker.pinned.begin(), worker.pinned.end());
      worker.pinned.clear();
    }
    worker.pinned_count.store(0, std::memory_order_relaxed);
  }
  return worker.pinned_next == worker.pinned_now.size() ? nullptr : worker.pinned_now[worker.pinned_next++];
}

void Parallel::push_own(Worker& worker, Cell& cell) {
  for (;;) {
    const std::uint32_t before = worker.ring.push(cell);
    if (before < ReadyRing::kMax) {
      // One alone is its own next turn; more than one is shared.
      if (before > 0 && asleep_.load(std::memory_order_relaxed) > 0) wake_one();
      return;
    }
    std::array<Cell*, ReadyRing::kHalf + 1> half;
    if (worker.ring.take_half(std::span(half).first<ReadyRing::kHalf>())) {
      half.back() = &cell;
      return push_shared(half);
    }
  }
}

void Parallel::push_shared(std::span<Cell* const> cells) {
  {
    const std::lock_guard lock(shared_mutex_);
    shared_.insert(shared_.end(), cells.begin(), cells.end());
    shared_count_.store(static_cast<std::uint32_t>(shared_.size()), std::memory_order_seq_cst);
  }
  if (asleep_.load(std::memory_order_seq_cst) > 0) wake_one();
}

Cell* Parallel::take_shared(Worker& worker) noexcept {
  if (shared_count_.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(shared_mutex_);
  if (shared_.empty()) return nullptr;
  const auto there = static_cast<std::uint32_t>(shared_.size());
  const std::uint32_t room = ReadyRing::kMax - worker.ring.size();
  const auto share = there / static_cast<std::uint32_t>(workers_.size()) + 1;
  const std::uint32_t batch = std::min({share, ReadyRing::kHalf, room + 1, there});
  for (std::uint32_t i = 1; i < batch; ++i) worker.ring.push(*shared_[i]);
  Cell* taken = shared_.front();
  shared_.erase(shared_.begin(), shared_.begin() + batch);
  shared_count_.store(there - batch, std::memory_order_seq_cst);
  return taken;
}

Cell* Parallel::steal(Worker& worker) noexcept {
  const std::size_t count = workers_.size();
  for (std::size_t i = 1; i < count; ++i) {
    Worker& victim = *workers_[(worker.index + i) % count];
    if (victim.ring.size() >= 2 && victim.ring.steal_into(worker.ring) > 0) return worker.ring.pop(false);
  }
  return nullptr;
}

void Parallel::poll_stuck(Worker& worker) noexcept {
  for (auto& other : workers_) {
    if (other.get() == &worker) continue;
    const std::uint32_t turns = other->turns.load(std::memory_order_relaxed);
    if (std::exchange(worker.seen[other->index], turns) == turns && other->ring.size() > 0 &&
        other->ring.steal_into(worker.ring) > 0) {
      return runtime_->tell(Level::debug, Family::dispatch, "took_over", {},
                            {{"from", std::to_string(other->index)}, {"to", std::to_string(worker.index)}});
    }
  }
}

void Parallel::ready(Cell& cell) noexcept {
  if (const std::uint8_t pin = cell.pin.load(std::memory_order_relaxed); pin != 0) {
    Worker& worker = *workers_[pin - 1U];
    {
      const std::lock_guard lock(worker.pinned_mutex);
      worker.pinned.push_back(&cell);
      worker.pinned_count.store(static_cast<std::uint32_t>(worker.pinned.size()), std::memory_order_seq_cst);
    }
    wake(worker);
    return;
  }
  if (Worker* worker = own()) return push_own(*worker, cell);
  Cell* const one[] = {&cell};
  push_shared(one);
}

void Parallel::wake_one() noexcept {
  if (searching_.exchange(true, std::memory_order_seq_cst)) return;
  const auto keeper = static_cast<unsigned>(timekeeper_.load(std::memory_order_relaxed) + 1);  // last, if at all
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (wake(*workers_[(keeper + i) % workers_.size()])) return;
  }
  searching_.store(false, std::memory_order_seq_cst);
}

/// Who was woken has found work: if there is more, the next is woken.
void Parallel::pass_on(const Worker& worker) noexcept {
  searching_.store(false, std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_seq_cst) > 0 && (worker.ring.size() > 0 || has_work(worker))) wake_one();
}

bool Parallel::has_work(const Worker& worker) const noexcept {
  if (stopping_.load(std::memory_order_seq_cst) || worker.pinned_count.load(std::memory_order_seq_cst) > 0 ||
      shared_count_.load(std::memory_order_seq_cst) > 0) {
    return true;
  }
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const auto& other) { return other.get() != &worker && other->ring.size() >= 2; });
}

/// Who is woken again and again just after it fell asleep looks around for a moment first: a wake costs both sides
/// more.
bool Parallel::look_around(Worker& worker) {
  if (worker.restless < kRestless || !has_cores_) return false;
  const TimePoint end = clock_.now() + kLookAround;
  for (unsigned looks = 0; looks % 64 != 0 || clock_.now() < end; ++looks) {
    if (has_work(worker)) return true;
    cpu_relax();
  }
  worker.restless = 0;
  return false;
}

void Parallel::park(Worker& worker) {
  searching_.store(false, std::memory_order_seq_cst);
  if (fire_timers(worker) || look_around(worker)) return;
  worker.parked.store(1, std::memory_order_seq_cst);
  const int sleepers = asleep_.fetch_add(1, std::memory_order_seq_cst) + 1;
  const TimePoint begin = clock_.now();
  bool polls = false, slept = false, kept = false;
  if (!has_work(worker)) {
    const Duration limit = keep_time(worker, begin, sleepers, polls);
    futex::wait(worker.parked, 1, limit);
    slept = true;
    int own_index = static_cast<int>(worker.index);
    kept = timekeeper_.compare_exchange_strong(own_index, -1, std::memory_order_seq_cst);
  }
  worker.woken = worker.parked.exchange(0, std::memory_order_seq_cst) == 0;
  const int others = asleep_.fetch_sub(1, std::memory_order_seq_cst) - 1;
  runtime_->refresh(worker.local);
  if (slept) worker.restless = worker.woken && clock_.now() - begin < kShortSleep ? worker.restless + 1 : 0;
  if (kept && worker.woken && others > 0) wake_one();  // one worker has to watch the clock
  if (polls && !worker.woken) poll_stuck(worker);
}

/// One sleeping worker watches the clock and, while others run, whether one of them is stuck. Returns how long it may
/// sleep; 0: until it is woken.
Duration Parallel::keep_time(Worker& worker, TimePoint now, int sleepers, bool& polls) {
  int nobody = -1;
  if (!timekeeper_.compare_exchange_strong(nobody, static_cast<int>(worker.index), std::memory_order_seq_cst))
    return {};
  polls = sleepers < static_cast<int>(workers_.size());
  Duration limit = polls ? kStuckPoll : kIdlePoll;
  if (workers_.size() == 1) limit = {};
  const auto earliest = timers_.earliest();
  if (!earliest) return limit;
  const Duration until = std::max<Duration>(*earliest - now, Duration(1));
  return limit == Duration() ? until : std::min(limit, until);
}

void Parallel::wake_at(TimePoint when, Cell& cell, std::uint32_t generation) {
  // Long ones come together, at most 1 % late: a wake each 8 ms, not each timer.
  const Duration away = when - clock_.now();
  if (away >= 800ms) {
    when = std::chrono::ceil<std::chrono::duration<std::int64_t, std::ratio<8, 1000>>>(when);
  } else if (away >= 100ms) {
    when = std::chrono::ceil<std::chrono::milliseconds>(when);
  }
  if (!timers_.add(when, cell, generation)) return;
  if (const int keeper = timekeeper_.load(std::memory_order_seq_cst); keeper >= 0)
    wake(*workers_[static_cast<std::size_t>(keeper)]);
}

bool Parallel::fire_timers(Worker& worker) {
  const TimePoint now = clock_.now();
  if (!timers_.due(now)) return false;
  timers_.take(now, worker.due);
  constexpr std::size_t kAhead = 4;
  for (std::size_t i = 0; i < worker.due.size(); ++i) {
    if (i + kAhead < worker.due.size()) __builtin_prefetch(worker.due[i + kAhead].cell);  // long untouched
    runtime_->due(*worker.due[i].cell, worker.due[i].generation);
  }
  return !worker.due.empty();
}

}  // namespace

std::unique_ptr<Scheduler> parallel(ParallelOptions options) { return std::make_unique<Parallel>(std::move(options)); }

}  // namespace weft::actor
