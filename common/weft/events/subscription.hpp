// Subscription: the owner of a subscription; ends it when it is destroyed.
#pragma once
#include <utility>

#include "weft/base/function.hpp"

namespace weft::events {

/// Ends a subscription when it is destroyed. Loop-bound.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(Callback end) : end_(std::move(end)) {}
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      close();
      end_ = std::exchange(other.end_, nullptr);
    }
    return *this;
  }
  ~Subscription() { close(); }
  void close() {
    if (auto end = std::exchange(end_, nullptr)) end();
  }

 private:
  Callback end_;
};

}  // namespace weft::events
