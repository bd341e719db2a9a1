// The streams of echo: `blob` writes as many bytes as are asked for, `sink` counts what it reads, `fetch` and `feed` do
// that with another agent.
#include "agents/echo/echo.hpp"
#include "weft/base/request.hpp"

namespace weft::echo {

namespace {

constexpr std::int64_t kChunkMax = 8 * 1024 * 1024;
constexpr std::int64_t kWindowMax = 256 * 1024 * 1024;
constexpr std::int64_t kBytesMax = std::int64_t{1} << 40;

Result<BlobRequest> checked(const Value& value) {
  auto request = request_of<BlobRequest>(value);
  if (!request) return request;
  if (request->bytes < 0 || request->bytes > kBytesMax) return bad("'bytes' must be 0 to " + std::to_string(kBytesMax));
  if (request->window < 1 || request->window > kWindowMax)
    return bad("'window' must be 1 to " + std::to_string(kWindowMax));
  if (request->chunk < 1 || request->chunk > kChunkMax) return bad("'chunk' must be 1 to " + std::to_string(kChunkMax));
  return request;
}

StreamOptions options_of(const BlobRequest& request, const Call& call) {
  StreamOptions options;
  options.within = &call;
  options.host = request.host;
  options.window = static_cast<std::uint32_t>(request.window);
  return options;
}

/// Writes `bytes` in chunks.
Task<Result<Blob>> write_all(Stream& stream, BlobRequest request) {
  Blob written;
  while (written.bytes < request.bytes) {
    const auto size = static_cast<std::size_t>(std::min(request.chunk, request.bytes - written.bytes));
    Payload chunk(wire::Encoding::raw, Bytes(size, std::byte{'x'}));
    if (auto done = co_await stream.write(chunk); !done) co_return done.error();
    written.bytes += static_cast<std::int64_t>(size);
    ++written.chunks;
  }
  co_return written;
}

Task<Result<Blob>> read_all(Stream& stream) {
  Blob read;
  for (;;) {
    auto chunk = co_await stream.read();
    if (!chunk) co_return chunk.error();
    if (!*chunk) co_return read;
    read.bytes += static_cast<std::int64_t>((*chunk)->bytes.size());
    ++read.chunks;
  }
}

}  // namespace

void Echo::serve_streams() {
  agent_.serve_stream(
      "blob",
      [](Value value, Call&, Stream& stream) -> Task<Result<Blob>> {
        auto request = checked(value);
        if (!request) co_return request.error();
        co_return co_await write_all(stream, *request);
      },
      "{bytes, chunk}: a stream of so many bytes");
  agent_.serve_stream(
      "sink", [](Value, Call&, Stream& stream) -> Task<Result<Blob>> { return read_all(stream); },
      "counts the bytes of the stream that it is sent");
  agent_.serve(
      "fetch", [this](Value value, Call& call) { return fetch(std::move(value), call); },
      "{target, host, bytes, chunk, window}: reads target's stream, such as echo.blob");
  agent_.serve(
      "feed", [this](Value value, Call& call) { return feed(std::move(value), call); },
      "{target, host, bytes, chunk}: writes a stream to target, such as echo.sink");
}

Task<Result<Blob>> Echo::fetch(Value value, Call& call) {
  auto request = checked(value);
  if (!request) co_return request.error();
  const auto options = options_of(*request, call);
  const TimePoint begin = agent_.loop().now();
  auto stream = co_await agent_.open_stream(request->target, value, options);
  if (!stream) co_return stream.error();
  auto read = co_await read_all(*stream);
  if (read) read->seconds = to_seconds(agent_.loop().now() - begin);
  co_return read;
}

Task<Result<Blob>> Echo::feed(Value value, Call& call) {
  auto request = checked(value);
  if (!request) co_return request.error();
  auto options = options_of(*request, call);
  options.writes = true;
  const TimePoint begin = agent_.loop().now();
  auto stream = co_await agent_.open_stream(request->target, Value(), options);
  if (!stream) co_return stream.error();
  auto written = co_await write_all(*stream, *request);
  if (!written) co_return written;
  if (auto ended = co_await stream->end_writes(); !ended) co_return ended.error();
  auto answer = co_await stream->result();
  if (!answer) co_return answer.error();
  auto counted = answer->as<Blob>();
  if (!counted) co_return counted;
  if (counted->bytes != written->bytes)
    co_return bad("the other end counted " + std::to_string(counted->bytes) + " bytes");
  written->seconds = to_seconds(agent_.loop().now() - begin);
  co_return written;
}

}  // namespace weft::echo
