// From a class with on(Message) to an ActorType: dispatch by type, coroutine handlers, answers. Private to the runtime,
// though a header, because it is templates.
#pragma once
#include "weft/actor/context.hpp"

namespace weft::actor {
namespace detail {

/// One suspended or running coroutine handler in its actor's list; destroying the list destroys the frames.
struct ActivationLink {
  ActivationLink* previous = nullptr;
  ActivationLink* next = nullptr;
  void (*destroy)(ActivationLink& link) noexcept = nullptr;
};
void enter(Cell& cell, ActivationLink& link);
void leave(Cell& cell, ActivationLink& link) noexcept;
void fail_after(Cell& cell, std::exception_ptr failure) noexcept;
void started_after(Cell& cell) noexcept;
void answer(Cell& cell, Envelope& request, Envelope* reply);
/// The end of a coroutine handler's envelope: a request that is still unanswered is answered with an error.
void finish(Cell& cell, Envelope* envelope) noexcept;

/// `co_await InTurn(cell)`: continues in the actor's turn, even if something other than the runtime resumed the
/// handler.
class InTurn final : private Waiter {
 public:
  explicit InTurn(Cell& cell) noexcept : cell_(cell) {}
  ~InTurn();
  InTurn(const InTurn&) = delete;
  InTurn& operator=(const InTurn&) = delete;
  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

 private:
  void take(Envelope&) override { waiting_.resume(); }
  Cell& cell_;
  std::coroutine_handle<> waiting_;
  std::uint64_t correlation_ = 0;
};

struct Activation {
  struct promise_type : ActivationLink {
    Cell& cell;
    template <class... Rest>
    explicit promise_type(Cell& owner, Rest&...) : cell(owner) {
      destroy = [](ActivationLink& link) noexcept {
        std::coroutine_handle<promise_type>::from_promise(static_cast<promise_type&>(link)).destroy();
      };
      enter(cell, *this);
    }
    ~promise_type() { leave(cell, *this); }
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;
    Activation get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

struct EnvelopeOwner {
  Cell& cell;
  Envelope* envelope;
  EnvelopeOwner(Cell& of, Envelope* owned) noexcept : cell(of), envelope(owned) {}
  EnvelopeOwner(const EnvelopeOwner&) = delete;
  EnvelopeOwner& operator=(const EnvelopeOwner&) = delete;
  ~EnvelopeOwner() { finish(cell, envelope); }
};

template <class R>
void answer_with(Cell& cell, Envelope& request, R&& returned) {
  using Plain = std::remove_cvref_t<R>;
  if (request.correlation == 0 && !(request.rare && request.rare->reply_to)) return;
  if constexpr (is_result<Plain>) {
    if (!returned)
      return answer(cell, request, Envelope::make<Error>(Envelope::Kind::error, std::move(returned.error())));
    if constexpr (std::is_void_v<typename Plain::value_type>) {
      answer(cell, request, Envelope::make<Done>(Envelope::Kind::value));
    } else {
      answer(cell, request, Envelope::make<typename Plain::value_type>(Envelope::Kind::value, std::move(*returned)));
    }
  } else {
    answer(cell, request, Envelope::make<Plain>(Envelope::Kind::value, std::forward<R>(returned)));
  }
}

/// Of a handler that returns nothing: nothing to reply_to.
inline void answer_done(Cell& cell, Envelope& request) {
  if (request.correlation != 0) answer(cell, request, Envelope::make<Done>(Envelope::Kind::value));
}

template <class T, class M>
Activation run_in_steps(Cell& cell, Envelope* envelope, T& self) {
  const EnvelopeOwner owner(cell, envelope);
  Context context(cell, envelope);
  std::exception_ptr failure;
  try {
    auto task = call(self, std::move(envelope->as<M>()), context);
    if constexpr (std::is_void_v<typename decltype(task)::value_type>) {
      co_await task;
      co_await InTurn(cell);
      answer_done(cell, *envelope);
    } else {
      auto returned = co_await task;
      co_await InTurn(cell);
      answer_with(cell, *envelope, std::move(returned));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await InTurn(cell);
    fail_after(cell, std::move(failure));
  }
}

template <class T>
Activation start_in_steps(Cell& cell, T& self) {
  Context context(cell, nullptr);
  std::exception_ptr failure;
  try {
    co_await self.pre_start(context);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await InTurn(cell);
  if (failure) {
    fail_after(cell, std::move(failure));
  } else {
    started_after(cell);
  }
}

template <class T, class M>
ActorType::Dispatched invoke(T& self, Cell& cell, Envelope* envelope) {
  using R = Returned<T, M>;
  if constexpr (is_task<R>) {
    run_in_steps<T, M>(cell, envelope, self);
    return ActorType::Dispatched::kept;
  } else {
    Context context(cell, envelope);
    if constexpr (std::is_void_v<R>) {
      call(self, std::move(envelope->as<M>()), context);
      answer_done(cell, *envelope);
    } else {
      answer_with(cell, *envelope, call(self, std::move(envelope->as<M>()), context));
    }
    return ActorType::Dispatched::done;
  }
}

template <class T, class... Ms>
ActorType::Dispatched dispatch(T& self, Cell& cell, Envelope* envelope, Handles<Ms...>) {
  auto dispatched = ActorType::Dispatched::unhandled;
  (void)((envelope->type == &message_type<Ms> && ((dispatched = invoke<T, Ms>(self, cell, envelope)), true)) || ...);
  return dispatched;
}

template <class T>
constexpr bool interleaves_of() {
  if constexpr (requires { T::interleaves; })
    return T::interleaves;
  else
    return false;
}
template <class T>
constexpr std::size_t interleaves_max_of() {
  if constexpr (requires { T::interleaves_max; })
    return T::interleaves_max;
  else
    return interleaves_of<T>() ? 1000 : 0;
}
template <class T>
concept HasPreStart = requires(T& self, Context& context) {
  self.pre_start(context);
};
template <class T>
concept HasPostStop = requires(T& self, Context& context) {
  self.post_stop(context);
};
template <class T>
concept HasOnError = requires(T& self, const std::exception_ptr& failure, Context& context) {
  { self.on_error(failure, context) } -> std::same_as<Directive>;
};
template <class T>
concept HoldsStop = requires(T& self, Context& context) {
  { self.hold_stop(context) } -> std::same_as<bool>;
};

template <class T>
void pre_start([[maybe_unused]] void* object, Cell& cell) {
  if constexpr (HasPreStart<T>) {
    T& self = *static_cast<T*>(object);
    Context context(cell, nullptr);
    if constexpr (is_task<decltype(self.pre_start(context))>) {
      start_in_steps<T>(cell, self);
      return;
    } else {
      self.pre_start(context);
    }
  }
  started_after(cell);
}

template <class T>
inline constexpr ActorType kActorType{pretty_name<T>(),
                                      sizeof(T),
                                      alignof(T),
                                      interleaves_max_of<T>(),
                                      interleaves_of<T>(),
                                      HasPreStart<T>,
                                      HoldsStop<T>,
                                      handles<T, HealthCheck>,
                                      [](void* object, Cell& cell, Envelope* envelope) {
                                        return dispatch(*static_cast<T*>(object), cell, envelope,
                                                        typename T::Messages());
                                      },
                                      [](void* object) { static_cast<T*>(object)->~T(); },
                                      &pre_start<T>,
                                      [](void* object, Cell& cell) {
                                        if constexpr (HasPostStop<T>) {
                                          Context context(cell, nullptr);
                                          static_cast<T*>(object)->post_stop(context);
                                        }
                                      },
                                      [](void* object, Cell& cell, const std::exception_ptr& failure) {
                                        if constexpr (HasOnError<T>) {
                                          Context context(cell, nullptr);
                                          return static_cast<T*>(object)->on_error(failure, context);
                                        }
                                        return Directive::restart;
                                      },
                                      [](void* object, Cell& cell) {
                                        if constexpr (HoldsStop<T>) {
                                          Context context(cell, nullptr);
                                          return static_cast<T*>(object)->hold_stop(context);
                                        }
                                        return false;
                                      }};

}  // namespace detail

template <class T>
const ActorType& actor_type() noexcept {
  // In words what is wrong with a class, before the templates say it.
  static_assert(detail::ListsMessages<T>, "an actor class has a public: using Messages = weft::actor::Handles<A, B>;");
  if constexpr (detail::ListsMessages<T>) {
    static_assert(detail::handles_each<T, typename T::Messages>,
                  "an actor class has a public on(M) or on(M, Context&) for each M of its Messages");
    return detail::kActorType<T>;
  }
}

}  // namespace weft::actor
