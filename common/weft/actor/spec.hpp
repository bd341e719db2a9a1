// How a class becomes an actor: the messages it handles, and the recipe by which a supervisor restarts it.
#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <tuple>

#include "weft/actor/message.hpp"
#include "weft/actor/options.hpp"
#include "weft/actor/reply.hpp"

namespace weft::actor {

class Context;
class System;
class Runtime;

/// `using Messages = weft::actor::Handles<Add, Get>;` in an actor class: for each M of them it has a public
/// `on(M)` or `on(M, Context&)`, by value or by reference. It returns nothing, or R or Result<R> (the answer of a
/// request), or a Task of any of these. Other members that the runtime finds by name, each optional:
///   void or Task<void> pre_start(Context&)   in the first turn, before any message; what it throws is a failed start
///   void post_stop(Context&)                 in the last turn of each incarnation, after failures too
///   Directive on_error(const std::exception_ptr&, Context&)
///   static constexpr bool interleaves = true;  while a handler waits at co_await, others may start
///   static constexpr std::size_t interleaves_max = 1000;  handlers that wait at once; then messages wait
template <class... Ms>
struct Handles {
  static_assert((Message<Ms> && ...), "a message is movable, and its destructor does not throw");
};

/// What follows from an exception. Without on_error(): restart.
enum class Directive : std::uint8_t {
  stop,      ///< it ends as if it had stopped itself
  resume,    ///< the message is lost, the state stays
  restart,   ///< it ends with `error`; its supervisor, if it has one, decides by its Restart
  escalate,  ///< its supervisor fails too
};

namespace detail {

template <class M, class List>
inline constexpr bool is_one_of = false;
template <class M, class... Ms>
inline constexpr bool is_one_of<M, Handles<Ms...>> = (std::is_same_v<M, Ms> || ...);

template <class T, class M>
concept HandlesWithContext = requires(T& self, M&& message, Context& context) {
  self.on(std::move(message), context);
};

template <class T>
concept ListsMessages = requires {
  typename T::Messages;
};
template <class T, class M>
concept HandlesOne = HandlesWithContext<T, M> || requires(T& self, M&& message) {
  self.on(std::move(message));
};
template <class T, class List>
inline constexpr bool handles_each = false;
template <class T, class... Ms>
inline constexpr bool handles_each<T, Handles<Ms...>> = (HandlesOne<T, Ms> && ...);

template <class T, class M>
decltype(auto) call(T& self, M&& message, Context& context) {
  if constexpr (HandlesWithContext<T, M>) {
    return self.on(std::move(message), context);
  } else {
    return self.on(std::move(message));
  }
}
template <class T, class M>
using Returned = decltype(call(std::declval<T&>(), std::declval<M&&>(), std::declval<Context&>()));

template <class R>
inline constexpr bool is_task = false;
template <class R>
inline constexpr bool is_task<Task<R>> = true;
template <class R>
inline constexpr bool is_result = false;
template <class R>
inline constexpr bool is_result<Result<R>> = true;

template <class R>
struct ReplyType {
  using type = R;
};
template <>
struct ReplyType<void> {
  using type = Done;
};
template <class R>
struct ReplyType<Task<R>> : ReplyType<R> {};
template <class R>
struct ReplyType<Result<R>> : ReplyType<R> {};

template <class M>
Envelope* envelope_of(M&& message) {
  static_assert(Message<std::remove_cvref_t<M>>, "a message is movable, and its destructor does not throw");
  return Envelope::make<std::remove_cvref_t<M>>(Envelope::Kind::message, std::forward<M>(message));
}

}  // namespace detail

template <class T, class M>
inline constexpr bool handles = detail::is_one_of<M, typename T::Messages>;
/// What T answers to M: handlers without a result answer Done. A message may name another: `struct Get { using Reply =
/// int; };` for handlers that answer by reply_later().
template <class T, class M>
struct ReplyOfMessage : detail::ReplyType<detail::Returned<T, M>> {};
template <class T, class M>
requires(!handles<T, M>) struct ReplyOfMessage<T, M> {
  static_assert(handles<T, M>, "this actor class does not handle this message");
  using type = Done;
};
template <class T, class M>
requires handles<T, M> && requires { typename M::Reply; }
struct ReplyOfMessage<T, M> {
  using type = typename M::Reply;
};
template <class T, class M>
using ReplyOf = typename ReplyOfMessage<T, M>::type;

/// What the runtime knows of an actor class. Private to the runtime.
struct ActorType {
  enum class Dispatched : std::uint8_t { done, kept, unhandled };
  std::string_view name;
  std::size_t size, align;
  std::size_t interleaves_max;  ///< 0: it does not interleave
  bool interleaves, starts, supervises, checks_health;
  Dispatched (*dispatch)(void* object, Cell& cell, Envelope* envelope);
  void (*destroy)(void* object);
  void (*pre_start)(void* object, Cell& cell);
  void (*post_stop)(void* object, Cell& cell);
  Directive (*on_error)(void* object, Cell& cell, const std::exception_ptr& failure);
  bool (*hold_stop)(void* object, Cell& cell);  ///< null, or: true when the object itself ends its stop
};
template <class T>
const ActorType& actor_type() noexcept;

/// A recipe for a supervised child; a value. Made by child() and supervisor().
struct ChildSpec {
  ChildOptions options;
  const ActorType* type = nullptr;
  std::shared_ptr<const std::function<void(void* place)>> construct;
};

/// The arguments are copied for each incarnation.
template <class T, class... Args>
ChildSpec child(ChildOptions options, Args... args) {
  static_assert((std::is_copy_constructible_v<Args> && ...), "each incarnation gets copies of the arguments");
  static_assert(std::is_constructible_v<T, const Args&...>, "this actor class is not made of these arguments");
  auto construct = [args = std::tuple<Args...>(std::move(args)...)](void* place) {
    std::apply([place](const Args&... each) { new (place) T(each...); }, args);
  };
  return {std::move(options), &actor_type<T>(),
          std::make_shared<const std::function<void(void*)>>(std::move(construct))};
}
/// A supervisor of `children`, started in this order.
ChildSpec supervisor(ChildOptions options, SupervisorOptions supervision, std::vector<ChildSpec> children);

namespace detail {
template <class... Args>
inline constexpr bool starts_with_options = false;
template <class First, class... Rest>
inline constexpr bool starts_with_options<First, Rest...> = std::is_same_v<std::remove_cvref_t<First>, SpawnOptions>;
template <class... Args>
concept NoOptions = !starts_with_options<Args...>;
/// Makes a cell and calls `construct(place, data)` in it. Errors: see Context::spawn.
Result<Address> spawn(Runtime& runtime, Cell* parent, const ActorType& type, SpawnOptions options,
                      void (*construct)(void* place, void* data), void* data);
template <class T, class... Args>
Result<Address> spawn(Runtime& runtime, Cell* parent, SpawnOptions options, Args&&... args) {
  static_assert(std::is_constructible_v<T, Args&&...>, "this actor class is not made of these arguments");
  auto arguments = std::forward_as_tuple(std::forward<Args>(args)...);
  using Arguments = decltype(arguments);
  return spawn(
      runtime, parent, actor_type<T>(), std::move(options),
      [](void* place, void* data) {
        std::apply([place](auto&&... each) { new (place) T(std::forward<decltype(each)>(each)...); },
                   std::move(*static_cast<Arguments*>(data)));
      },
      &arguments);
}
}  // namespace detail

}  // namespace weft::actor
