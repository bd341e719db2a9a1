// Ping: asks one process whether it answers at all, outside of interceptors, metrics and traces. Loop-bound.
#pragma once
#include <string>

#include "weft/calls/pending_call.hpp"

namespace weft::calls {

/// A call of `_ping` whose outcome counts only by Destination::last_heard. Taken back when it is destroyed.
class Ping final : public PendingCall {
 public:
  /// Borrows `caller`. `agent` is the name of the agent at `to`.
  Ping(Caller& caller, std::shared_ptr<Destination> to, std::string_view agent)
      : PendingCall(caller, to.get()), destination_(std::move(to)), target_(std::string(agent) + "._ping") {}

  /// Sends one that waits for at most `timeout`; the last one must have ended. Errors: those of a call that are known
  /// at once.
  Result<void> send(Duration timeout) {
    Payload nothing;
    header_ = {};
    header_.kind = wire::Kind::request;
    call_.begin = caller_.loop().turn_time();
    call_.deadline = call_.begin + timeout;
    return begin(call_, nothing);
  }
  using PendingCall::waits;

 private:
  void take(const wire::EnvelopeView&) override {}
  void ended(Result<Payload>) override {}

  const std::shared_ptr<Destination> destination_;
  const std::string target_;
  const CallOptions options_;
  wire::Header header_;
  Outgoing call_{.target = target_,
                 .target_id = 0,
                 .endpoint = destination_->endpoint,
                 .options = options_,
                 .header = header_,
                 .begin = {},
                 .deadline = {}};
};

}  // namespace weft::calls
