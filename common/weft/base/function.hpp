// UniqueFunction: std::move_only_function, which libstdc++ 12 does not have in C++20. Small callables are held in
// place.
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT: implicit on purpose
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      UniqueFunction(F&& callable) {  // NOLINT: implicit on purpose
    using Held = std::decay_t<F>;
    if constexpr (sizeof(Held) <= kInPlace && alignof(Held) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Held>) {
      new (&storage_) Held(std::forward<F>(callable));
      operations_ = &kOperations<Held, true>;
    } else {
      new (&storage_) Held*(new Held(std::forward<F>(callable)));
      operations_ = &kOperations<Held, false>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~UniqueFunction() { reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }
  R operator()(Args... args) { return operations_->call(&storage_, std::forward<Args>(args)...); }

 private:
  static constexpr std::size_t kInPlace = 6 * sizeof(void*);
  struct Operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class Held, bool InPlace>
  static Held& held(void* storage) noexcept {
    if constexpr (InPlace) {
      return *std::launder(static_cast<Held*>(storage));
    } else {
      return **std::launder(static_cast<Held**>(storage));
    }
  }
  template <class Held, bool InPlace>
  static constexpr Operations kOperations{
      [](void* storage, Args&&... args) -> R { return held<Held, InPlace>(storage)(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept {
        if constexpr (InPlace) {
          new (to) Held(std::move(held<Held, true>(from)));
          held<Held, true>(from).~Held();
        } else {
          new (to) Held*(&held<Held, false>(from));
        }
      },
      [](void* storage) noexcept {
        if constexpr (InPlace) {
          held<Held, true>(storage).~Held();
        } else {
          delete &held<Held, false>(storage);
        }
      }};

  void take(UniqueFunction& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_) operations_->move(&other.storage_, &storage_);
  }
  void reset() noexcept {
    if (operations_) std::exchange(operations_, nullptr)->destroy(&storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kInPlace];
  const Operations* operations_ = nullptr;
};

using Callback = UniqueFunction<void()>;

}  // namespace weft
