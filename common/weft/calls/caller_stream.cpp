// The caller's end of a stream.
#include "weft/calls/pending_call.hpp"

namespace weft::calls {

/// Held by its Stream; waits in the slots of the Caller like any call.
class CallerStream final : public StreamCore, private PendingCall {
 public:
  CallerStream(Caller& caller, std::shared_ptr<Destination> to, std::shared_ptr<const InstanceRecord> instance,
               std::string target, StreamOptions options, const CallStart& start)
      : StreamCore(caller.loop_, options.window, options.idle),
        PendingCall(caller, to.get()),
        destination_(std::move(to)),
        target_(std::move(target)),
        options_(std::move(options)),
        instance_(std::move(instance)),
        header_(start.header),
        call_{.target = target_,
              .target_id = caller.target_id(target_),
              .endpoint = to_->endpoint,
              .instance = instance_.get(),
              .options = options_,
              .header = header_,
              .begin = caller.loop_.turn_time(),
              .deadline = start.deadline} {}

  Result<void> open(Payload& payload) {
    auto fine = caller_.interceptors_.before(call_, ran_);
    if (fine) {
      header_.flags = options_.writes ? 0 : wire::kFlagEnd;
      grant_first();
      may_write(options_.writes);
      fine = begin(call_, payload, window());
    }
    if (fine) return {};
    Result<Payload> outcome = fine.error();
    caller_.interceptors_.after(call_, outcome, ran_);
    return fine;
  }

  void abandon() noexcept override {
    if (waits()) give_up(Error(codes::stream_closed, target_ + ": its caller let go of the stream"));
  }

 private:
  Result<void> send(wire::Kind kind, std::uint8_t flags, Payload& payload) override {
    if (!waits() || !to_->link) return Error(codes::stream_closed, target_ + ": the stream is over");
    wire::Header header;
    header.kind = kind;
    header.flags = flags;
    header.id = id_;
    header.encoding = payload.encoding;
    header.sender = header_.sender;
    header.epoch = header_.epoch;
    return to_->link->send(header, {}, {}, payload.bytes);
  }
  void break_off(Error error) override {
    if (waits()) give_up(std::move(error));
  }
  void take(const wire::EnvelopeView& envelope) override {
    if (envelope.header.kind == wire::Kind::chunk) take_chunk(envelope);
    if (envelope.header.kind == wire::Kind::credit) take_credit(envelope);
  }
  void ended(Result<Payload> outcome) override {
    call_.end = caller_.loop_.turn_time();
    caller_.interceptors_.after(call_, outcome, ran_);
    finish_stream(std::move(outcome));
  }
  void finish_stream(Result<Payload> outcome) { StreamCore::finish(std::move(outcome)); }

  const std::shared_ptr<Destination> destination_;
  const std::string target_;
  const StreamOptions options_;
  const std::shared_ptr<const InstanceRecord> instance_;
  wire::Header header_;
  Outgoing call_;
  std::size_t ran_ = 0;
};

Result<std::shared_ptr<StreamCore>> Caller::open(std::shared_ptr<Destination> to,
                                                 std::shared_ptr<const InstanceRecord> instance, std::string target,
                                                 Payload payload, StreamOptions options) {
  CallStart start;
  if (auto fine = start_call(start, target, options, loop_.turn_time()); !fine) return fine.error();
  auto stream = std::make_shared<CallerStream>(*this, std::move(to), std::move(instance), std::move(target),
                                               std::move(options), start);
  if (auto opened = stream->open(payload); !opened) return opened.error();
  return std::shared_ptr<StreamCore>(std::move(stream));
}

}  // namespace weft::calls
