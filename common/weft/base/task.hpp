// Task<T>: a lazy coroutine with symmetric transfer. Destroying a Task that waits cancels it: every awaitable of Weft
// takes back what it registered when its frame is destroyed. Loop-bound.
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "weft/base/function.hpp"
#include "weft/base/loop.hpp"

namespace weft {

template <class T>
class Task;

namespace detail {

/// Frames of coroutines come and go by the million, in few sizes: each thread keeps some for the next. Thread-safe.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct FromFramePool {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
};

struct TaskPromiseBase : FromFramePool {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    outcome.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(outcome));
    return std::move(std::get<1>(outcome));
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  std::exception_ptr failure;

  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { failure = std::current_exception(); }
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

/// Starts when awaited (or spawned in a TaskScope); is awaited at most once. Not copied.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using value_type = T;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
}  // namespace detail

/// Owns tasks that are not awaited. Its destructor cancels those that still wait; it must not run inside one of them.
class TaskScope {
 public:
  /// What became of a task: null, or what it threw.
  using OnDone = UniqueFunction<void(std::exception_ptr)>;

  TaskScope() = default;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope() { cancel_all(); }

  /// Starts `task` now, in this turn. An exception goes to `on_done`; without one it is a bug and ends the process.
  void spawn(Task<void> task, OnDone on_done = {}) { run(*this, std::move(task), std::move(on_done)); }
  void cancel_all() noexcept {
    while (first_) first_->destroy_frame();
  }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Root {
    struct promise_type : detail::FromFramePool {
      TaskScope& scope;
      promise_type* previous = nullptr;
      promise_type* next = nullptr;

      promise_type(TaskScope& owner, const Task<void>&, const OnDone&) noexcept : scope(owner) {
        next = scope.first_;
        if (next) next->previous = this;
        scope.first_ = this;
        ++scope.size_;
      }
      ~promise_type() {
        (previous ? previous->next : scope.first_) = next;
        if (next) next->previous = previous;
        --scope.size_;
      }
      promise_type(const promise_type&) = delete;
      promise_type& operator=(const promise_type&) = delete;
      void destroy_frame() noexcept { std::coroutine_handle<promise_type>::from_promise(*this).destroy(); }
      Root get_return_object() const noexcept { return {}; }
      std::suspend_never initial_suspend() const noexcept { return {}; }
      std::suspend_never final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      void unhandled_exception() const noexcept { std::terminate(); }
    };
  };
  static Root run(TaskScope&, Task<void> task, OnDone on_done) {
    std::exception_ptr failure;
    try {
      co_await task;
    } catch (...) {
      failure = std::current_exception();
    }
    if (on_done) {
      on_done(failure);
    } else if (failure) {
      std::terminate();
    }
  }

  Root::promise_type* first_ = nullptr;
  std::size_t size_ = 0;
};

/// One value that is delivered to one coroutine. Either end may be destroyed first. Loop-bound.
template <class T>
class Completion {
  struct State {
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };

 public:
  class Completer {
   public:
    Completer() = default;
    /// Resumes the waiter now; returns false and drops the value if it is the second or the waiter no longer exists.
    bool complete(T value) {
      auto state = std::exchange(state_, nullptr);
      if (!state || state->value || state.use_count() == 1) return false;
      state->value.emplace(std::move(value));
      if (auto waiter = std::exchange(state->waiter, nullptr)) waiter.resume();
      return true;
    }
    /// False when the other end went away, or after complete().
    bool wanted() const noexcept { return state_ && state_.use_count() > 1; }

   private:
    friend class Completion;
    explicit Completer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  Completion() : state_(std::make_shared<State>()) {}
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&&) noexcept = default;
  ~Completion() {
    if (state_) state_->waiter = nullptr;
  }
  /// Call once.
  Completer completer() { return Completer(state_); }

  bool await_ready() const noexcept { return state_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { state_->waiter = waiter; }
  T await_resume() { return std::move(*state_->value); }

 private:
  std::shared_ptr<State> state_;
};

/// `co_await sleep_for(loop, 1s)`.
class [[nodiscard]] sleep_for {
 public:
  sleep_for(Loop& loop, Duration delay) : loop_(loop), delay_(delay) {}
  ~sleep_for() { loop_.cancel(timer_); }
  sleep_for(const sleep_for&) = delete;
  sleep_for& operator=(const sleep_for&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    timer_ = loop_.after(delay_, [this, waiter] {
      timer_ = 0;
      waiter.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Duration delay_;
  Loop::Id timer_ = 0;
};

}  // namespace weft
