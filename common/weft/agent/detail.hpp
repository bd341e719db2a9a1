// What the templates of class Agent are made of. Private to agent, though its door includes it.
#pragma once
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/actor/actor.hpp"
#include "weft/agent/health_check.hpp"
#include "weft/base/function.hpp"
#include "weft/base/loop.hpp"
#include "weft/base/task.hpp"
#include "weft/mesh/mesh.hpp"

namespace weft::detail {

/// The type of the first argument of a callable object that has one operator(): what a handler reads.
template <class F>
struct Arguments : Arguments<decltype(&F::operator())> {};
template <class C, class R, class First, class... Rest>
struct Arguments<R (C::*)(First, Rest...) const> {
  using first = std::remove_cvref_t<First>;
};
template <class C, class R, class First, class... Rest>
struct Arguments<R (C::*)(First, Rest...)> {
  using first = std::remove_cvref_t<First>;
};

template <class T>
wire::Payload payload_of(const T& value) {
  if constexpr (std::is_same_v<T, wire::Payload>)
    return value;
  else
    return wire::Payload::of(value);
}
template <class T>
Result<T> payload_as(const wire::Payload& payload) {
  if constexpr (std::is_same_v<T, wire::Payload>)
    return payload;
  else
    return payload.as<T>();
}
template <class T>
struct IsTask : std::false_type {};
template <class T>
struct IsTask<Task<T>> : std::true_type {};
template <class F>
Task<CheckResult> run_check(std::shared_ptr<F> run) {
  if constexpr (IsTask<std::invoke_result_t<F&>>::value) {
    auto found = co_await (*run)();
    co_return CheckResult(std::move(found));
  } else {
    co_return CheckResult((*run)());
  }
}

/// What became of work on the loop, on its way to the actor that waits for it.
template <class T>
using LoopOutcome = std::variant<Result<T>, std::exception_ptr>;

/// Runs on the loop what an actor waits for.
template <class T>
Task<void> answer_from(UniqueFunction<Task<Result<T>>()> work, actor::Responder<LoopOutcome<T>> give) {
  LoopOutcome<T> outcome(std::in_place_index<1>);
  try {
    outcome.template emplace<0>(co_await work());
  } catch (...) {
    outcome.template emplace<1>(std::current_exception());
  }
  give(std::move(outcome));
}

template <class T>
Task<T> answer_of(Completion<T> completion) {
  co_return co_await completion;
}

/// An actor's answer on its way to a coroutine of the loop. Owns itself; whichever comes first, answer or time, counts.
template <class R>
class LoopPort final : public actor::ReplyPort {
 public:
  using Completer = typename Completion<Result<R>>::Completer;
  static void ask(actor::System& system, Loop& loop, const actor::Address& to, actor::Envelope* request,
                  Duration timeout, Completer completer) {
    auto shared = std::make_shared<Completer>(std::move(completer));
    if (timeout > Duration())
      loop.after(timeout, [shared, timeout] { shared->complete(actor::detail::no_reply(timeout)); });
    system.ask(to, request, {}, *new LoopPort(loop, std::move(shared)));
  }
  void answer(actor::Envelope* reply) noexcept override {
    Result<R> result = reply->kind == actor::Envelope::Kind::value && reply->type == &actor::message_type<R>
                           ? Result<R>(std::move(reply->as<R>()))
                           : Result<R>(actor::detail::error_of(*reply, actor::message_type<R>));
    actor::Envelope::destroy(reply);
    loop_.post(
        [completer = completer_, result = std::move(result)]() mutable { completer->complete(std::move(result)); });
    delete this;
  }

 private:
  LoopPort(Loop& loop, std::shared_ptr<Completer> completer) : loop_(loop), completer_(std::move(completer)) {}
  Loop& loop_;
  std::shared_ptr<Completer> completer_;
};

}  // namespace weft::detail
