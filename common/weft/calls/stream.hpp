// Stream: a call whose request, whose answer, or both come in chunks. Credit bounds what is on its way: a writer waits
// while the reader is behind, so that a stream of any length needs the memory of one window on each side.
#pragma once
#include <coroutine>
#include <memory>
#include <optional>

#include "weft/calls/call.hpp"

namespace weft::calls {

struct StreamOptions : CallOptions {
  StreamOptions() { timeout = Duration::zero(); }  ///< no limit of the whole, unless one is given
  std::uint32_t window = 1024 * 1024;  ///< bytes of chunks on their way to this end; a chunk may be larger than it
  /// A read or write that waits longer than this fails the stream; 0: it may wait without end.
  Duration idle = 30s;
  bool writes = false;  ///< chunks of the request follow: write() them, and end_writes()
};

class StreamCore;

/// One end of a stream. Reading and writing are independent of each other; one coroutine at a time may wait in each.
/// Loop-bound; the stream lives as long as this.
class Stream {
 public:
  explicit Stream(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept;
  /// The caller's end: a stream that is not over is cancelled, and the callee's next write fails.
  ~Stream();

  /// The next chunk, in order; nothing at the end. After an error the same error each time.
  /// Errors: what the other end answered; `stream_closed`, `call_cancelled`, `peer_gone`, `deadline_exceeded`,
  /// `bad_stream`.
  Task<Result<std::optional<Payload>>> read();
  /// Returns when the chunk is on its way, which may be after the reader has caught up. Errors as read(), and
  /// `too_large`; `stream_closed` after end_writes().
  Task<Result<void>> write(Payload chunk);
  /// The caller's end: no more chunks of the request follow.
  Result<void> end_writes();
  /// The caller's end: the answer that ended the stream. Chunks that nobody read are discarded.
  Task<Result<Payload>> result();

 private:
  std::shared_ptr<StreamCore> core_;
};

/// The outcome is the last word of the stream, after its chunks: the answer, or the error.
using StreamHandler = UniqueFunction<Task<Result<Payload>>(Call&, Stream&)>;

}  // namespace weft::calls
