// Stream: a stream as an agent's code sees it: usable from whichever thread its turns run on.
#pragma once
#include <memory>
#include <optional>

#include "weft/mesh/mesh.hpp"

namespace weft {

class Agent;

/// One end of a stream. Chunks are of any type that base/describe.hpp knows, or Payload. When it goes, a stream that is
/// not over is cancelled.
class Stream {
 public:
  Stream(Agent& agent, calls::Stream stream);
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  /// The next chunk in order; nothing at the end. Errors: those of calls::Stream::read(), `bad_payload`.
  template <class T = wire::Payload>
  Task<Result<std::optional<T>>> read() {
    using Read = Result<std::optional<T>>;
    auto chunk = co_await read_payload();
    if (!chunk) co_return Read(chunk.error());
    if (!*chunk) co_return Read(std::nullopt);
    if constexpr (std::is_same_v<T, wire::Payload>) {
      co_return Read(std::move(**chunk));
    } else {
      auto value = (*chunk)->template as<T>();
      if (!value) co_return Read(value.error());
      co_return Read(std::move(*value));
    }
  }
  /// Returns when the chunk is on its way: a reader that is behind makes it wait. Errors: those of
  /// calls::Stream::write().
  template <class T>
  Task<Result<void>> write(const T& chunk) {
    if constexpr (std::is_same_v<T, wire::Payload>)
      return write_payload(chunk);
    else
      return write_payload(wire::Payload::of(chunk));
  }
  /// The caller's end: no more chunks follow.
  Task<Result<void>> end_writes();
  /// The caller's end: the answer that ended the stream; chunks that nobody read are discarded.
  Task<Result<wire::Payload>> result();

 private:
  Task<Result<std::optional<wire::Payload>>> read_payload();
  Task<Result<void>> write_payload(wire::Payload chunk);

  Agent* agent_;
  std::shared_ptr<calls::Stream> stream_;  // shared with what runs for it on the loop
};

}  // namespace weft
