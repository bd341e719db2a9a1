// The parallel scheduler: each worker has a ring of ready cells that others steal half of in constant time (the scheme
// of Go's scheduler), a list of those pinned to it, and sleeps on a futex of its own.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <queue>
#include <stdexcept>
#include <thread>

#include "weft/actor/futex.hpp"
#include "weft/actor/runtime.hpp"

namespace weft::actor {
namespace {

constexpr std::uint32_t kRing = 256;
constexpr std::uint32_t kClockTurns = 16;   // between two looks at the clock
constexpr std::uint32_t kSharedTurns = 61;  // between two looks at the shared list while there is own work
constexpr Duration kStuckPoll = 1ms;        // a sleeper looks that often for work behind a turn that does not end
constexpr Duration kIdlePoll = 100ms;       // and that often whether somebody else has been woken

std::int64_t ns_of(TimePoint time) noexcept { return time.time_since_epoch().count(); }

struct alignas(64) Worker {
  Local local;
  unsigned index = 0;
  std::uint32_t tick = 0;
  bool woken = false;  // and has not found work yet
  Cell* pinned_first = nullptr;
  Cell* pinned_last = nullptr;
  std::thread thread;
  std::vector<std::uint32_t> seen;  // turns of the others at the last poll
  alignas(64) std::atomic<std::uint32_t> head{0};
  std::atomic<std::uint32_t> tail{0};
  std::array<std::atomic<Cell*>, kRing> ring{};
  alignas(64) std::atomic<Cell*> pinned{nullptr};  // newest first
  std::atomic<std::uint32_t> parked{0};            // a futex: 1 while it sleeps
  std::atomic<std::uint32_t> turns{0};

  std::uint32_t size() const noexcept {
    return tail.load(std::memory_order_acquire) - head.load(std::memory_order_acquire);
  }
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
    for (unsigned i = 0; i < workers_.size(); ++i) {
      workers_[i]->index = i;
      workers_[i]->seen.resize(workers_.size());
    }
    for (const auto& worker : workers_) worker->thread = std::thread([this, &each = *worker] { work(each); });
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
  void ready(Cell& cell) noexcept override;
  void wake_at(TimePoint when, Cell& cell, std::uint32_t generation) override;

  Worker* own() const noexcept {
    Local* here = runtime_->own_local();
    return here ? static_cast<Worker*>(here->worker) : nullptr;
  }
  void work(Worker& worker);
  Cell* next(Worker& worker);
  Cell* take_pinned(Worker& worker) noexcept;
  Cell* pop(Worker& worker) noexcept;
  Cell* take_shared(Worker& worker) noexcept;
  Cell* steal(Worker& worker) noexcept;
  std::uint32_t grab(Worker& thief, Worker& victim) noexcept;
  void push_own(Worker& worker, Cell& cell) noexcept;
  void push_shared(Cell* first, Cell* last, std::uint32_t count) noexcept;
  bool has_work(const Worker& worker) const noexcept;
  void park(Worker& worker);
  void poll_stuck(Worker& worker) noexcept;
  bool fire_timers();
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
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<int> asleep_{0};
  std::atomic<bool> searching_{false};  // somebody was woken and has not found work yet
  std::atomic<int> timekeeper_{-1};     // the sleeper who watches the time
  alignas(64) std::atomic<std::uint32_t> shared_count_{0};
  std::mutex shared_mutex_;
  Cell* shared_first_ = nullptr;
  Cell* shared_last_ = nullptr;
  alignas(64) std::atomic<std::int64_t> earliest_{INT64_MAX};
  std::mutex timers_mutex_;
  std::priority_queue<Timed> timers_;
  std::uint64_t timer_order_ = 0;
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
      fire_timers();
    }
    if (Cell* cell = next(worker)) {
      if (std::exchange(worker.woken, false)) pass_on(worker);
      worker.turns.store(worker.tick, std::memory_order_relaxed);
      runtime_->run(*cell, worker.local);
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
  if (Cell* cell = pop(worker)) return cell;
  if (Cell* cell = take_pinned(worker)) return cell;
  if (Cell* cell = take_shared(worker)) return cell;
  return steal(worker);
}

Cell* Parallel::take_pinned(Worker& worker) noexcept {
  if (worker.pinned.load(std::memory_order_relaxed)) {  // behind its own, whatever those do
    Cell* newest = worker.pinned.exchange(nullptr, std::memory_order_acquire);
    Cell* last = newest;
    Cell* first = nullptr;
    while (newest) {
      Cell* older = newest->next_ready;
      newest->next_ready = first;
      first = newest;
      newest = older;
    }
    (worker.pinned_first ? worker.pinned_last->next_ready : worker.pinned_first) = first;
    worker.pinned_last = last;
  }
  Cell* cell = worker.pinned_first;
  if (cell) worker.pinned_first = cell->next_ready;
  return cell;
}

Cell* Parallel::pop(Worker& worker) noexcept {
  std::uint32_t head = worker.head.load(std::memory_order_acquire);
  for (;;) {
    if (head == worker.tail.load(std::memory_order_relaxed)) return nullptr;
    Cell* cell = worker.ring[head % kRing].load(std::memory_order_relaxed);
    if (workers_.size() == 1) {  // nobody steals
      worker.head.store(head + 1, std::memory_order_relaxed);
      return cell;
    }
    if (worker.head.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))
      return cell;
  }
}

void Parallel::push_own(Worker& worker, Cell& cell) noexcept {
  const std::uint32_t tail = worker.tail.load(std::memory_order_relaxed);
  std::uint32_t head = worker.head.load(std::memory_order_acquire);
  if (tail - head < kRing) {
    worker.ring[tail % kRing].store(&cell, std::memory_order_relaxed);
    worker.tail.store(tail + 1, std::memory_order_release);
    // One alone is its own next turn; more than one is shared.
    if (tail != head && asleep_.load(std::memory_order_relaxed) > 0) wake_one();
    return;
  }
  constexpr std::uint32_t kHalf = kRing / 2;
  std::array<Cell*, kHalf> half;
  for (std::uint32_t i = 0; i < kHalf; ++i) half[i] = worker.ring[(head + i) % kRing].load(std::memory_order_relaxed);
  if (!worker.head.compare_exchange_strong(head, head + kHalf, std::memory_order_acq_rel))
    return push_own(worker, cell);
  for (std::uint32_t i = 0; i + 1 < kHalf; ++i) half[i]->next_ready = half[i + 1];
  half.back()->next_ready = &cell;
  cell.next_ready = nullptr;
  push_shared(half.front(), &cell, kHalf + 1);
}

void Parallel::push_shared(Cell* first, Cell* last, std::uint32_t count) noexcept {
  {
    const std::lock_guard lock(shared_mutex_);
    (shared_last_ ? shared_last_->next_ready : shared_first_) = first;
    shared_last_ = last;
    shared_count_.fetch_add(count, std::memory_order_seq_cst);
  }
  if (asleep_.load(std::memory_order_seq_cst) > 0) wake_one();
}

Cell* Parallel::take_shared(Worker& worker) noexcept {
  if (shared_count_.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(shared_mutex_);
  if (!shared_first_) return nullptr;
  const std::uint32_t there = shared_count_.load(std::memory_order_relaxed);
  const std::uint32_t room = kRing - worker.size();
  std::uint32_t batch = std::min({there / static_cast<std::uint32_t>(workers_.size()) + 1, kRing / 2, room + 1});
  Cell* taken = shared_first_;
  shared_first_ = taken->next_ready;
  std::uint32_t tail = worker.tail.load(std::memory_order_relaxed);
  std::uint32_t count = 1;
  for (; count < batch && shared_first_; ++count) {
    worker.ring[tail++ % kRing].store(shared_first_, std::memory_order_relaxed);
    shared_first_ = shared_first_->next_ready;
  }
  worker.tail.store(tail, std::memory_order_release);
  if (!shared_first_) shared_last_ = nullptr;
  shared_count_.fetch_sub(count, std::memory_order_seq_cst);
  return taken;
}

/// Half of the victim's ring into the thief's empty one; how many.
std::uint32_t Parallel::grab(Worker& thief, Worker& victim) noexcept {
  std::uint32_t head = victim.head.load(std::memory_order_acquire);
  const std::uint32_t tail = thief.tail.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint32_t there = victim.tail.load(std::memory_order_acquire) - head;
    const std::uint32_t half = there - there / 2;
    if (there == 0) return 0;
    if (half > kRing / 2) {  // read apart
      head = victim.head.load(std::memory_order_acquire);
      continue;
    }
    for (std::uint32_t i = 0; i < half; ++i) {
      thief.ring[(tail + i) % kRing].store(victim.ring[(head + i) % kRing].load(std::memory_order_relaxed),
                                           std::memory_order_relaxed);
    }
    if (victim.head.compare_exchange_strong(head, head + half, std::memory_order_acq_rel, std::memory_order_acquire)) {
      thief.tail.store(tail + half, std::memory_order_release);
      return half;
    }
  }
}

Cell* Parallel::steal(Worker& worker) noexcept {
  const std::size_t count = workers_.size();
  for (std::size_t i = 1; i < count; ++i) {
    Worker& victim = *workers_[(worker.index + i) % count];
    if (victim.size() >= 2 && grab(worker, victim) > 0) return pop(worker);
  }
  return nullptr;
}

void Parallel::poll_stuck(Worker& worker) noexcept {
  for (auto& other : workers_) {
    if (other.get() == &worker) continue;
    const std::uint32_t turns = other->turns.load(std::memory_order_relaxed);
    if (std::exchange(worker.seen[other->index], turns) == turns && other->size() > 0 && grab(worker, *other) > 0)
      return;
  }
}

void Parallel::ready(Cell& cell) noexcept {
  if (const std::uint8_t pin = cell.pin.load(std::memory_order_relaxed); pin != 0) {
    Worker& worker = *workers_[pin - 1U];
    if (own() == &worker) {
      cell.next_ready = nullptr;
      (worker.pinned_first ? worker.pinned_last->next_ready : worker.pinned_first) = &cell;
      worker.pinned_last = &cell;
      return;
    }
    Cell* newest = worker.pinned.load(std::memory_order_relaxed);
    do {
      cell.next_ready = newest;
    } while (!worker.pinned.compare_exchange_weak(newest, &cell, std::memory_order_seq_cst, std::memory_order_relaxed));
    wake(worker);
    return;
  }
  if (Worker* worker = own()) return push_own(*worker, cell);
  cell.next_ready = nullptr;
  push_shared(&cell, &cell, 1);
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
  if (asleep_.load(std::memory_order_seq_cst) > 0 && (worker.size() > 0 || has_work(worker))) wake_one();
}

bool Parallel::has_work(const Worker& worker) const noexcept {
  if (stopping_.load(std::memory_order_seq_cst) || worker.pinned.load(std::memory_order_seq_cst) ||
      shared_count_.load(std::memory_order_seq_cst) > 0) {
    return true;
  }
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const auto& other) { return other.get() != &worker && other->size() >= 2; });
}

void Parallel::park(Worker& worker) {
  searching_.store(false, std::memory_order_seq_cst);
  if (fire_timers()) return;
  worker.parked.store(1, std::memory_order_seq_cst);
  const int sleepers = asleep_.fetch_add(1, std::memory_order_seq_cst) + 1;
  bool polled = false, kept = false;
  if (!has_work(worker)) {
    Duration limit{};
    int nobody = -1;
    if (timekeeper_.compare_exchange_strong(nobody, static_cast<int>(worker.index), std::memory_order_seq_cst)) {
      const std::int64_t earliest = earliest_.load(std::memory_order_seq_cst);
      polled = sleepers < static_cast<int>(workers_.size());
      limit = polled ? kStuckPoll : kIdlePoll;
      if (workers_.size() == 1) limit = {};
      if (earliest != INT64_MAX) {
        const Duration until(std::max<std::int64_t>(earliest - ns_of(clock_.now()), 1));
        limit = limit == Duration() ? until : std::min(limit, until);
      }
    }
    futex::wait(worker.parked, 1, limit);
    int own_index = static_cast<int>(worker.index);
    kept = timekeeper_.compare_exchange_strong(own_index, -1, std::memory_order_seq_cst);
  }
  worker.woken = worker.parked.exchange(0, std::memory_order_seq_cst) == 0;
  const int others = asleep_.fetch_sub(1, std::memory_order_seq_cst) - 1;
  runtime_->refresh(worker.local);
  if (kept && worker.woken && others > 0) wake_one();  // for somebody has to watch the time
  if (polled && !worker.woken) poll_stuck(worker);
}

void Parallel::wake_at(TimePoint when, Cell& cell, std::uint32_t generation) {
  {
    const std::lock_guard lock(timers_mutex_);
    timers_.push({when, ++timer_order_, &cell, generation});
    if (ns_of(when) >= earliest_.load(std::memory_order_relaxed)) return;
    earliest_.store(ns_of(when), std::memory_order_seq_cst);
  }
  if (const int keeper = timekeeper_.load(std::memory_order_seq_cst); keeper >= 0)
    wake(*workers_[static_cast<std::size_t>(keeper)]);
}

bool Parallel::fire_timers() {
  constexpr std::size_t kAtOnce = 64;
  const TimePoint now = clock_.now();
  if (earliest_.load(std::memory_order_relaxed) > ns_of(now)) return false;
  std::array<Timed, kAtOnce> due;
  std::size_t count = 0;
  {
    const std::lock_guard lock(timers_mutex_);
    for (; count < kAtOnce && !timers_.empty() && timers_.top().when <= now; timers_.pop())
      due[count++] = timers_.top();
    earliest_.store(timers_.empty() ? INT64_MAX : ns_of(timers_.top().when), std::memory_order_seq_cst);
  }
  for (std::size_t i = 0; i < count; ++i) runtime_->due(*due[i].cell, due[i].generation);
  return count > 0;
}

}  // namespace

std::unique_ptr<Scheduler> parallel(ParallelOptions options) { return std::make_unique<Parallel>(std::move(options)); }

}  // namespace weft::actor
