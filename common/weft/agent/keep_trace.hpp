// KeepTrace: waits for work of the loop, and goes on in the trace in which it began to wait. Private to agent.
#pragma once
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "weft/base/base.hpp"
#include "weft/base/trace_context.hpp"

namespace weft::detail {

/// `KeepTrace<R> kept(task); R result = co_await kept;`. Destroyed while it waits it cancels the task. Not moved.
template <class T>
class KeepTrace {
 public:
  explicit KeepTrace(Task<T> task) : task_(std::move(task)) {}
  KeepTrace(const KeepTrace&) = delete;
  KeepTrace& operator=(const KeepTrace&) = delete;
  ~KeepTrace() {
    if (runner_) runner_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    trace_ = current_trace_or_none();
    runner_ = run(*this).handle;
    runner_.resume();
    if (over_) return false;
    waiter_ = waiter;
    return true;
  }
  T await_resume() {
    if (failure_) std::rethrow_exception(failure_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  struct Runner {
    struct promise_type : FromFramePool {
      KeepTrace& owner;
      explicit promise_type(KeepTrace& of) noexcept : owner(of) {}
      struct Final {
        bool await_ready() const noexcept { return false; }
        /// A plain function: when it returns, whoever resumed the task has his own trace again.
        void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
          KeepTrace& owner = self.promise().owner;
          owner.over_ = true;
          owner.runner_ = nullptr;
          self.destroy();
          const auto waiter = std::exchange(owner.waiter_, nullptr);
          if (!waiter) return;  // it has not begun to wait
          const TraceScope scope(owner.trace_);
          waiter.resume();
        }
        void await_resume() const noexcept {}
      };
      Runner get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      Final final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      void unhandled_exception() const noexcept { owner.failure_ = std::current_exception(); }
    };
    std::coroutine_handle<promise_type> handle;
  };
  static Runner run(KeepTrace& owner) {
    if constexpr (std::is_void_v<T>) {
      co_await owner.task_;
    } else {
      owner.value_.emplace(co_await owner.task_);
    }
  }
  struct Nothing {};

  Task<T> task_;
  TraceContext trace_;
  std::coroutine_handle<typename Runner::promise_type> runner_;
  std::coroutine_handle<> waiter_;
  std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> value_;
  std::exception_ptr failure_;
  bool over_ = false;
};

}  // namespace weft::detail
