// Lifetime: lets work that runs later find out whether the object it is for still exists.
#pragma once
#include <memory>
#include <utility>

namespace weft {

/// A member of the object whose `this` callbacks capture. Loop-bound: the object and the callbacks live on one thread.
///
///   loop.at_turn_end(lifetime_.guard([this] { flush(); }));
class Lifetime {
 public:
  /// Expired once the Lifetime is destroyed. Copies are cheap.
  class Watch {
   public:
    bool alive() const noexcept { return !token_.expired(); }

   private:
    friend class Lifetime;
    explicit Watch(const std::shared_ptr<const int>& token) : token_(token) {}
    std::weak_ptr<const int> token_;
  };

  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  Watch watch() const { return Watch(token_); }

  /// `work`, which does nothing once this Lifetime is destroyed. What `work` returns is discarded. It may destroy the
  /// owner.
  template <class F>
  auto guard(F work) const {
    return [watch = watch(), work = std::move(work)](auto&&... args) mutable {
      if (watch.alive()) work(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  std::shared_ptr<const int> token_ = std::make_shared<const int>(0);
};

}  // namespace weft
