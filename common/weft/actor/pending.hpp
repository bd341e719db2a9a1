// Pending: an answer on its way to a plain thread. Included by system.hpp.
#pragma once
#include <memory>

#include "weft/actor/system.hpp"

namespace weft::actor {
namespace detail {

/// One place for one answer, shared by the waiting and the answering side.
class Blocking final : public ReplyPort {
 public:
  struct Release {
    void operator()(Blocking* place) const noexcept { place->release(); }
  };
  using Owner = std::unique_ptr<Blocking, Release>;
  static Owner make() { return Owner(new Blocking); }  // the second reference is the answering side's
  void answer(Envelope* reply) noexcept override;
  /// Null when `timeout` passed; the caller owns the envelope.
  Envelope* wait(Duration timeout) noexcept;
  bool ready() const noexcept { return state_.load(std::memory_order_acquire) == 1; }

 private:
  Blocking() = default;
  ~Blocking() override;
  void release() noexcept;

  std::atomic<std::uint32_t> state_{0};  // a futex: 1 when reply_ is set
  std::atomic<int> shares_{2};
  Envelope* reply_ = nullptr;
};
Error error_of(Envelope& reply, const MessageType& wanted);
Error no_reply(Duration timeout);

}  // namespace detail

template <class R>
class [[nodiscard]] Pending {
 public:
  /// Call once. Blocks; `no_reply` after `timeout` (0: without limit). Not from an actor.
  Result<R> wait(Duration timeout = {}) {
    Envelope* reply = place_->wait(timeout);
    if (!reply) return detail::no_reply(timeout);
    Result<R> out = reply->kind == Envelope::Kind::value && reply->type == &message_type<R>
                        ? Result<R>(std::move(reply->as<R>()))
                        : Result<R>(detail::error_of(*reply, message_type<R>));
    Envelope::destroy(reply);
    return out;
  }
  bool ready() const noexcept { return place_->ready(); }

 private:
  friend class System;
  Pending(System& system, const Address& to, Envelope* request, const SendOptions& options)
      : place_(detail::Blocking::make()) {
    system.ask(to, request, options, *place_);
  }
  detail::Blocking::Owner place_;
};

}  // namespace weft::actor
