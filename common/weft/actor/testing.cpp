#include "weft/actor/testing.hpp"

#include <algorithm>

#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {

class Deterministic final : public Scheduler {
 public:
  explicit Deterministic(std::uint64_t seed) : random_(seed) {}
  ~Deterministic() override { Deterministic::stop(); }

  const Clock& clock() const noexcept override { return clock_; }
  unsigned workers() const noexcept override { return 0; }
  bool drive(Duration) override { return step(); }

  bool step() {
    while (!ready_.empty()) {
      Cell* cell = ready_[random_.below(ready_.size())];
      if (run_one(*cell)) return true;
    }
    return false;
  }
  /// Whether a message was handled; what is no message runs too.
  bool run_one(Cell& cell) {
    ready_.erase(std::find(ready_.begin(), ready_.end(), &cell));
    const InThread in_thread(local_);
    runtime_->refresh(local_);
    const Envelope* next = runtime_->peek(cell, local_);
    if (next) steps_.push_back({cell.address().id(), next->type->name});
    if (next || !gone(cell)) runtime_->run(cell, local_, next ? 1 : 0);
    return next != nullptr;
  }
  Envelope* peek(Cell& cell) {
    if (std::find(ready_.begin(), ready_.end(), &cell) == ready_.end()) return nullptr;
    const InThread in_thread(local_);
    Envelope* next = runtime_->peek(cell, local_);
    if (gone(cell)) std::erase(ready_, &cell);
    return next;
  }
  bool next_timer(TimePoint until) {
    if (timers_.empty() || timers_.top().when > until) return false;
    const Timed timer = timers_.top();
    timers_.pop();
    if (timer.when > clock_.now()) clock_.advance(timer.when - clock_.now());
    runtime_->due(*timer.cell, timer.generation);
    return true;
  }
  void advance_to(TimePoint when) {
    if (when > clock_.now()) clock_.advance(when - clock_.now());
  }
  const std::vector<TestSystem::Step>& steps() const noexcept { return steps_; }

 private:
  struct InThread {
    explicit InThread(Local& local) : outer(std::exchange(Runtime::local(), &local)) {}
    InThread(const InThread&) = delete;
    InThread& operator=(const InThread&) = delete;
    ~InThread() { Runtime::local() = outer; }
    Local* outer;
  };
  static bool gone(const Cell& cell) { return cell.inbox.load(std::memory_order_relaxed) == Cell::kClosed; }

  void start(Runtime& runtime) override {
    runtime_ = &runtime;
    Local* outer = Runtime::local();
    runtime.attach(local_);
    Runtime::local() = outer;
  }
  void stop() noexcept override {
    if (runtime_) std::exchange(runtime_, nullptr)->detach(local_);
  }
  void ready(Cell& cell) noexcept override { ready_.push_back(&cell); }
  void wake_at(TimePoint when, Cell& cell, std::uint32_t generation) override {
    timers_.push({when, ++last_order_, &cell, generation});
  }

  Random random_;
  ManualClock clock_;
  Runtime* runtime_ = nullptr;
  Local local_;
  std::vector<Cell*> ready_;
  std::priority_queue<Timed> timers_;
  std::uint64_t last_order_ = 0;
  std::vector<TestSystem::Step> steps_;
};

TestSystem::TestSystem(std::uint64_t seed, SystemOptions options, Monitor* monitor)
    : TestSystem(std::make_unique<Deterministic>(seed), std::move(options), monitor) {}

TestSystem::TestSystem(std::unique_ptr<Deterministic> scheduler, SystemOptions options, Monitor* monitor)
    : System(std::unique_ptr<Scheduler>(scheduler.release()), std::move(options), monitor),
      scheduler_(static_cast<Deterministic&>(System::scheduler())) {}

bool TestSystem::step() { return scheduler_.step(); }

std::size_t TestSystem::run_until_idle(std::size_t limit) {
  std::size_t steps = 0;
  while (step()) {
    if (++steps > limit) throw Unexpected("not idle after " + std::to_string(limit) + " messages");
  }
  return steps;
}

void TestSystem::advance(Duration by) {
  const TimePoint until = now() + by;
  run_until_idle();
  while (scheduler_.next_timer(until)) run_until_idle();
  scheduler_.advance_to(until);
  run_until_idle();
}

const std::vector<TestSystem::Step>& TestSystem::steps() const noexcept { return scheduler_.steps(); }

Envelope* TestSystem::next_of(const Address& to) {
  Cell* cell = Cell::of(to);
  if (!cell || cell->generation.load(std::memory_order_relaxed) != Cell::generation_of(to)) return nullptr;
  return scheduler_.peek(*cell);
}

void TestSystem::handle_next(const Address& to) { scheduler_.run_one(*Cell::of(to)); }

void TestSystem::check_sender(const Address& from, const Address& to) {
  const Envelope* next = next_of(to);
  if (next && next->from() != from) {
    throw Unexpected(describe(to) + " was to get a message from " + describe(from) + ", but next is one from " +
                     describe(next->from()));
  }
}

std::string TestSystem::describe(const Address& actor) const { return runtime().name_of(actor); }

}  // namespace weft::actor
