#include "weft/agent/stream.hpp"

#include "weft/agent/agent.hpp"

namespace weft {
namespace {

struct Nothing {};  // on_loop() wants a value

Task<Result<Nothing>> write_on_loop(std::shared_ptr<calls::Stream> stream, wire::Payload chunk) {
  auto done = co_await stream->write(std::move(chunk));
  if (!done) co_return done.error();
  co_return Nothing();
}
Task<Result<Nothing>> end_on_loop(std::shared_ptr<calls::Stream> stream) {
  auto done = stream->end_writes();
  if (!done) co_return done.error();
  co_return Nothing();
}

}  // namespace

Stream::Stream(Agent& agent, calls::Stream stream)
    : agent_(&agent), stream_(std::make_shared<calls::Stream>(std::move(stream))) {}

Stream::~Stream() {
  if (!stream_ || agent_->in_loop()) return;
  agent_->loop().post([stream = std::move(stream_)] {});  // its end is loop-bound
}

Task<Result<std::optional<wire::Payload>>> Stream::read_payload() {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<std::optional<wire::Payload>>> chunk(stream_->read());
    co_return co_await chunk;
  }
  UniqueFunction<Task<Result<std::optional<wire::Payload>>>()> work = [stream = stream_] { return stream->read(); };
  co_return co_await agent_->on_loop<std::optional<wire::Payload>>(std::move(work));
}

Task<Result<void>> Stream::write_payload(wire::Payload chunk) {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<void>> written(stream_->write(std::move(chunk)));
    co_return co_await written;
  }
  UniqueFunction<Task<Result<Nothing>>()> work = [stream = stream_, chunk = std::move(chunk)]() mutable {
    return write_on_loop(std::move(stream), std::move(chunk));
  };
  auto done = co_await agent_->on_loop<Nothing>(std::move(work));
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<void>> Stream::end_writes() {
  if (agent_->in_loop()) co_return stream_->end_writes();
  UniqueFunction<Task<Result<Nothing>>()> work = [stream = stream_] { return end_on_loop(stream); };
  auto done = co_await agent_->on_loop<Nothing>(std::move(work));
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<wire::Payload>> Stream::result() {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<wire::Payload>> answer(stream_->result());
    co_return co_await answer;
  }
  UniqueFunction<Task<Result<wire::Payload>>()> work = [stream = stream_] { return stream->result(); };
  co_return co_await agent_->on_loop<wire::Payload>(std::move(work));
}

}  // namespace weft
