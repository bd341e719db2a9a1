// Actors on an event loop: first in, first out, a bounded number of turns at a time, by the loop's clock.
#include <algorithm>
#include <deque>
#include <thread>

#include "weft/actor/runtime/runtime.hpp"

namespace weft::actor {
namespace {

constexpr std::size_t kTurns = 64;  // then the loop has its own turn
constexpr Duration kLong = 2ms;     // or after this long: a loop that is away for seconds loses its lease

class OnLoop final : public Scheduler {
 public:
  explicit OnLoop(Loop& loop) : loop_(loop), alive_(std::make_shared<OnLoop*>(this)) {}
  ~OnLoop() override { OnLoop::stop(); }

  const Clock& clock() const noexcept override { return loop_.clock(); }
  unsigned workers() const noexcept override { return 0; }

 private:
  void start(Runtime& runtime) override {
    runtime_ = &runtime;
    thread_ = std::this_thread::get_id();
    Local* outer = Runtime::local();
    runtime.attach(local_);
    Runtime::local() = outer;
  }
  void stop() noexcept override {
    if (!runtime_) return;
    *alive_ = nullptr;
    runtime_->detach(local_);
    runtime_ = nullptr;
  }
  /// Without the loop: runs what is ready.
  bool drive(Duration) override {
    if (queue_.empty()) return false;
    run_some();
    return true;
  }
  void ready(Cell& cell) noexcept override {
    if (std::this_thread::get_id() != thread_) return on_loop([&cell](OnLoop& self) { self.add(cell); });
    add(cell);
  }
  void wake_at(TimePoint when, Cell& cell, std::uint32_t generation) override {
    if (std::this_thread::get_id() != thread_) {
      return on_loop([when, &cell, generation](OnLoop& self) { self.wake_at(when, cell, generation); });
    }
    loop_.at(when, [alive = alive_, &cell, generation] {
      if (*alive) (*alive)->runtime_->due(cell, generation);
    });
  }
  template <class F>
  void on_loop(F work) {
    loop_.post([alive = alive_, work = std::move(work)] {
      if (*alive) work(**alive);
    });
  }
  void add(Cell& cell) {
    queue_.push_back(&cell);
    if (std::exchange(pumping_, true)) return;
    loop_.post([alive = alive_] {
      if (*alive) (*alive)->pump();
    });
  }
  void pump() {
    run_some();
    pumping_ = false;
    if (queue_.empty()) return;
    pumping_ = true;
    loop_.post([alive = alive_] {
      if (*alive) (*alive)->pump();
    });
  }
  void run_some() {
    Local* outer = std::exchange(Runtime::local(), &local_);
    runtime_->refresh(local_);
    const TimePoint begin = loop_.now();
    TimePoint last = begin;
    for (std::size_t turns = 0; turns < kTurns && !queue_.empty(); ++turns) {
      Cell* cell = queue_.front();
      queue_.pop_front();
      runtime_->run(*cell, local_, messages_);
      const TimePoint now = loop_.now();
      // slow handlers get fewer messages at a time, until they are fast
      messages_ = now - last >= kLong ? std::max(messages_ / 4, 1U) : std::min(messages_ * 2, Runtime::kTurnMessages);
      if (now - begin >= kLong) break;
      last = now;
    }
    Runtime::local() = outer;
  }

  Loop& loop_;
  std::shared_ptr<OnLoop*> alive_;
  Runtime* runtime_ = nullptr;
  Local local_;
  std::thread::id thread_;
  std::deque<Cell*> queue_;
  unsigned messages_ = Runtime::kTurnMessages;  // of one turn
  bool pumping_ = false;
};

}  // namespace

std::unique_ptr<Scheduler> on_loop(Loop& loop) { return std::make_unique<OnLoop>(loop); }

}  // namespace weft::actor
