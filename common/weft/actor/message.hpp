// Messages and the envelopes they travel in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weft/actor/address.hpp"
#include "weft/actor/memory.hpp"
#include "weft/base/base.hpp"
#include "weft/base/trace_context.hpp"

namespace weft::actor {

/// Above normal overtakes what waits below it within one actor. No starvation: one message in sixteen comes from a
/// lower priority that waits. The order of one sender's messages of one priority is kept.
enum class Priority : std::uint8_t { low, normal, high, critical };
inline constexpr std::size_t kPriorityCount = static_cast<std::size_t>(Priority::critical) + 1;
std::string_view to_string(Priority priority) noexcept;

/// W3C trace context, carried on from the message in hand to what its handler sends.
using Trace = TraceContext;

/// Why a message did not reach a handler.
enum class Drop : std::uint8_t {
  no_such_actor,  ///< no actor has this address or name
  stopped,        ///< the actor stopped before it
  unhandled,      ///< its class has no handler for this type
  expired,        ///< its time to live passed first
  overflow,       ///< the mailbox was full
  late,           ///< a reply after the time limit of its request
};
inline constexpr std::size_t kDropReasons = 6;
std::string_view to_string(Drop reason) noexcept;

namespace detail {
template <class M>
constexpr std::string_view pretty_name() {
  const std::string_view whole = __PRETTY_FUNCTION__;
  const auto begin = whole.find("M = ") + 4;
  return whole.substr(begin, whole.find_first_of(";]", begin) - begin);
}
template <class M>
constexpr auto destroy_of() -> void (*)(void*) noexcept {
  if constexpr (std::is_trivially_destructible_v<M>)
    return nullptr;
  else
    return [](void* payload) noexcept { static_cast<M*>(payload)->~M(); };
}
}  // namespace detail

/// What the runtime knows of a message's type; its address is its identity.
struct MessageType {
  std::string_view name;  ///< the C++ name: "shop::Order"
  std::size_t size, align;
  void (*destroy)(void* payload) noexcept;  ///< null: nothing to do
};
template <class M>
inline constexpr MessageType message_type{detail::pretty_name<M>(), sizeof(M), alignof(M), detail::destroy_of<M>()};

/// Any movable type is a message.
template <class M>
concept Message = std::is_move_constructible_v<M> && std::is_nothrow_destructible_v<M> && !std::is_reference_v<M> &&
                  !std::is_const_v<M>;

struct SendOptions {
  Priority priority = Priority::normal;
  Duration ttl{};                ///< 0: lives until it is handled
  Address reply_to{};            ///< gets what the handler returns, as a message
  std::optional<Trace> trace{};  ///< default: that of the message in hand, else the current one of this thread
};

/// A message on its way. Owned by one place at a time: a mailbox, a turn, the dead letters. Private to the runtime.
struct Envelope {
  enum class Kind : std::uint8_t {
    message,
    control,  ///< the payload is a Control, which runs in the actor's turn
    value,    ///< a reply
    error,    ///< a reply: the payload is an Error
    timer,    ///< the actor's earliest timer is due
  };
  /// What few messages have.
  struct Rare {
    TimePoint expires{TimePoint::max()};
    Address reply_to;
    Trace trace;
    bool traced = false;
  };

  Envelope* next = nullptr;
  const MessageType* type;
  Cell* sender = nullptr;
  std::uint32_t sender_generation = 0;
  std::uint32_t target_generation = 0;
  std::uint64_t correlation = 0;  ///< of the sender's reply slot, or a ReplyPort*; 0: no reply is expected
  Rare* rare = nullptr;
  std::uint32_t sent_ms = 0;  ///< coarse, of the scheduler's clock
  Priority priority = Priority::normal;
  Kind kind = Kind::message;
  std::uint8_t block = 0;     ///< memory::class_of() its size
  bool external : 1 = false;  ///< correlation is a ReplyPort*
  bool own : 1 = false;       ///< the runtime's: never a dead letter

  template <class M>
  static constexpr std::size_t offset() {
    return (sizeof(Envelope) + alignof(M) - 1) / alignof(M) * alignof(M);
  }
  void* payload() noexcept {
    const std::size_t align = type->align;
    return reinterpret_cast<std::byte*>(this) + (sizeof(Envelope) + align - 1) / align * align;
  }
  template <class M>
  M& as() noexcept {
    return *std::launder(reinterpret_cast<M*>(reinterpret_cast<std::byte*>(this) + offset<M>()));
  }
  Address from() const noexcept;

  template <class M, class... Args>
  static Envelope* make(Kind kind, Args&&... args) {
    static_assert(alignof(M) <= alignof(std::max_align_t),
                  "a message that is aligned beyond max_align_t must be held by pointer");
    constexpr std::size_t size = offset<M>() + sizeof(M);
    constexpr std::uint8_t block_class = memory::class_of(size);
    void* block = memory::allocate(block_class, size);
    auto* envelope = new (block) Envelope;
    envelope->type = &message_type<M>;
    envelope->kind = kind;
    envelope->block = block_class;
    void* place = static_cast<std::byte*>(block) + offset<M>();
    if constexpr (std::is_nothrow_constructible_v<M, Args...>) {
      new (place) M(std::forward<Args>(args)...);
    } else {
      try {
        new (place) M(std::forward<Args>(args)...);
      } catch (...) {
        memory::release(block, block_class);
        throw;
      }
    }
    return envelope;
  }
  /// Destroys the payload too.
  static void destroy(Envelope* envelope) noexcept {
    if (envelope->type->destroy) envelope->type->destroy(envelope->payload());
    if (envelope->rare) delete envelope->rare;
    memory::release(envelope, envelope->block);
  }
};

static_assert(sizeof(Envelope) == 56, "with a word of payload it fills one cache line");

}  // namespace weft::actor
