// Address: how one actor knows another. A value of 16 bytes that outlives the actor, though not the system.
#pragma once
#include <cstdint>
#include <type_traits>

namespace weft::actor {

struct Cell;

/// Of one actor, over its restarts; another actor never gets the same one. Thread-safe to copy and to send to.
class Address {
 public:
  Address() = default;
  /// Number for people and maps; 0: no actor.
  std::uint64_t id() const noexcept;
  explicit operator bool() const noexcept { return cell_ != nullptr; }
  friend bool operator==(const Address&, const Address&) = default;

 private:
  friend struct Cell;
  friend class Runtime;
  Address(Cell* cell, std::uint32_t generation) noexcept : cell_(cell), generation_(generation) {}
  Cell* cell_ = nullptr;
  std::uint32_t generation_ = 0;
};

/// The address of an actor of class T: what T does not handle cannot be sent to it, and a request knows its reply's
/// type.
template <class T>
class Ref : public Address {
 public:
  Ref() = default;
  /// The caller knows that the actor there is a T; if it is not, its messages end as dead letters, `unhandled`.
  explicit Ref(const Address& address) noexcept : Address(address) {}
};

}  // namespace weft::actor
