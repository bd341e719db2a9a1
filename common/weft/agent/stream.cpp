#include "weft/agent/stream.hpp"

#include "weft/agent/agent.hpp"

namespace weft {
namespace {

struct Nothing {};  // on_loop() wants a value

Task<Result<Nothing>> write_on_loop(std::shared_ptr<mesh::Stream> stream, mesh::Payload chunk) {
  auto done = co_await stream->write(std::move(chunk));
  if (!done) co_return done.error();
  co_return Nothing();
}
Task<Result<Nothing>> end_on_loop(std::shared_ptr<mesh::Stream> stream) {
  auto done = stream->end_writes();
  if (!done) co_return done.error();
  co_return Nothing();
}

}  // namespace

Stream::Stream(Agent& agent, mesh::Stream stream)
    : agent_(&agent), stream_(std::make_shared<mesh::Stream>(std::move(stream))) {}

Stream::~Stream() {
  if (!stream_ || agent_->in_loop()) return;
  agent_->loop().post([stream = std::move(stream_)] {});  // its end is loop-bound
}

Task<Result<std::optional<mesh::Payload>>> Stream::read_payload() {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<std::optional<mesh::Payload>>> chunk(stream_->read());
    co_return co_await chunk;
  }
  std::function<Task<Result<std::optional<mesh::Payload>>>()> work = [stream = stream_] { return stream->read(); };
  co_return co_await agent_->on_loop<std::optional<mesh::Payload>>(std::move(work));
}

Task<Result<void>> Stream::write_payload(mesh::Payload chunk) {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<void>> written(stream_->write(std::move(chunk)));
    co_return co_await written;
  }
  std::function<Task<Result<Nothing>>()> work = [stream = stream_, chunk = std::move(chunk)] {
    return write_on_loop(stream, chunk);
  };
  auto done = co_await agent_->on_loop<Nothing>(std::move(work));
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<void>> Stream::end_writes() {
  if (agent_->in_loop()) co_return stream_->end_writes();
  std::function<Task<Result<Nothing>>()> work = [stream = stream_] { return end_on_loop(stream); };
  auto done = co_await agent_->on_loop<Nothing>(std::move(work));
  if (!done) co_return done.error();
  co_return Result<void>();
}

Task<Result<mesh::Payload>> Stream::result() {
  if (agent_->in_loop()) {
    detail::KeepTrace<Result<mesh::Payload>> answer(stream_->result());
    co_return co_await answer;
  }
  std::function<Task<Result<mesh::Payload>>()> work = [stream = stream_] { return stream->result(); };
  co_return co_await agent_->on_loop<mesh::Payload>(std::move(work));
}

}  // namespace weft
