// Rare<T>: a text or container that is nearly always empty, and takes the room of a pointer then. A value.
#pragma once
#include <memory>
#include <type_traits>
#include <utility>

namespace weft {

template <class T>
class Rare {
 public:
  Rare() = default;
  template <class From>
  requires(!std::is_same_v<std::remove_cvref_t<From>, Rare> && std::is_convertible_v<From, T>)
      Rare(From&& from) {  // NOLINT: implicit on purpose
    T value(std::forward<From>(from));
    if (!value.empty()) held_ = std::make_unique<T>(std::move(value));
  }
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare&&) noexcept = default;
  Rare(const Rare& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  Rare& operator=(const Rare& other) {
    if (this != &other) held_ = other.held_ ? std::make_unique<T>(*other.held_) : nullptr;
    return *this;
  }
  ~Rare() = default;

  bool empty() const noexcept { return !held_ || held_->empty(); }
  const T& operator*() const noexcept { return held_ ? *held_ : kEmpty; }
  const T* operator->() const noexcept { return &**this; }
  operator const T&() const noexcept { return **this; }  // NOLINT: implicit on purpose
  /// To change it.
  T& edit() {
    if (!held_) held_ = std::make_unique<T>();
    return *held_;
  }
  void clear() noexcept { held_.reset(); }
  friend bool operator==(const Rare& a, const Rare& b) { return *a == *b; }

 private:
  static inline const T kEmpty{};
  std::unique_ptr<T> held_;
};

}  // namespace weft
