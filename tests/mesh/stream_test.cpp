#include "tests/mesh/fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

constexpr std::size_t kChunk = 64 * 1024;

struct Fixture : test::MeshFixture {
  std::unique_ptr<Peer> server = std::make_unique<Peer>(loop, context, peer_options("files"), metrics, log);
  Peer client{loop, context, peer_options("client"), metrics, log};
  std::string endpoint;
  std::size_t written = 0;  // chunks that handlers wrote
  std::vector<std::string> ends;

  Fixture() {
    serve("count", [this](Call& call, Stream& stream) { return count(call, stream); });
    serve("sum", [this](Call&, Stream& stream) { return sum(stream); });
    serve("echo", [this](Call&, Stream& stream) { return echo(stream); });
    serve("never", [this](Call& call, Stream& stream) { return forever(call, stream); });
    serve("deaf", [this](Call&, Stream&) { return deaf(); });
    REQUIRE(server->bind());
    endpoint = server->record().call_endpoint;
  }
  void serve(const char* name, StreamHandler handler) {
    MethodInfo info;
    info.name = name;
    server->serve_stream(std::move(info), std::move(handler));
  }
  /// Chunks "1".."n".
  Task<Result<Payload>> count(Call& call, Stream& stream) {
    const auto n = std::stoul(std::string(call.payload().text()));
    for (std::size_t i = 1; i <= n; ++i) {
      auto done = co_await stream.write(Payload::raw(std::to_string(i)));
      if (!done) co_return done.error();
      ++written;
    }
    if (n == 13) co_return Error(ErrorKind::internal, "MINE-13", "unlucky");
    co_return Payload::raw("counted");
  }
  Task<Result<Payload>> sum(Stream& stream) {
    std::size_t bytes = 0;
    for (;;) {
      auto chunk = co_await stream.read();
      if (!chunk) co_return chunk.error();
      if (!*chunk) break;
      bytes += (*chunk)->bytes.size();
    }
    co_return Payload::raw(std::to_string(bytes));
  }
  Task<Result<Payload>> echo(Stream& stream) {
    for (;;) {
      auto chunk = co_await stream.read();
      if (!chunk) co_return chunk.error();
      if (!*chunk) break;
      auto done = co_await stream.write(std::move(**chunk));
      if (!done) co_return done.error();
    }
    co_return Payload();
  }
  Task<Result<Payload>> forever(Call& call, Stream& stream) {
    for (;;) {
      auto done = co_await stream.write(Payload(wire::Encoding::raw, Bytes(kChunk)));
      if (done) {
        ++written;
        continue;
      }
      ends.push_back(std::string(done.error().name) + (call.cancelled() ? " cancelled" : ""));
      co_return done.error();
    }
  }
  Task<Result<Payload>> deaf() {
    co_await sleep_for(loop, 1h);
    co_return Payload();
  }
  Stream open(std::string method, Payload request = {}, StreamOptions options = {}) {
    auto stream = client.open_stream_at(endpoint, std::move(method), std::move(request), std::move(options));
    REQUIRE(stream);
    return std::move(*stream);
  }
  static StreamOptions writing() {
    StreamOptions options;
    options.writes = true;
    return options;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an answer in chunks comes in order, then the end, then the last word") {
  for (const std::size_t n : {0U, 1U, 2U, 1000U}) {
    Stream stream = open("files.count", Payload::raw(std::to_string(n)));
    for (std::size_t i = 1; i <= n; ++i) {
      const auto chunk = wait(stream.read());
      REQUIRE(chunk);
      REQUIRE(*chunk);
      REQUIRE((*chunk)->text() == std::to_string(i));
    }
    for (int again = 0; again < 2; ++again) {
      const auto end = wait(stream.read());
      REQUIRE(end);
      CHECK_FALSE(*end);
    }
    CHECK(wait(stream.result())->text() == "counted");
  }
  CHECK(until([&] { return server->in_flight() == 0; }));
}

TEST_CASE_METHOD(Fixture, "what the queue of a callee does not take fails at once, as a stream and as an answer") {
  auto options = peer_options("small");
  options.limits.queue_bytes_max = kChunk;
  Peer small(loop, context, options, metrics, log);
  MethodInfo info;
  info.name = "never";
  small.serve_stream(std::move(info), [this](Call& call, Stream& stream) { return forever(call, stream); });
  small.serve({"large", ""},
              test::handler([](Call&) { return Result<Payload>(Payload(wire::Encoding::raw, Bytes(kChunk))); }));
  REQUIRE(small.bind());
  const auto at = small.record().call_endpoint;

  const auto begin = loop.now();
  Stream stream = std::move(*client.open_stream_at(at, "small.never", {}, {}));
  auto chunk = wait(stream.read());
  while (chunk && *chunk) chunk = wait(stream.read());
  REQUIRE_FALSE(chunk);
  CHECK(chunk.error().is(codes::queue_full));

  std::size_t ended = 0, dropped = 0;
  constexpr std::size_t kCalls = 20;
  for (std::size_t i = 0; i < kCalls; ++i) {
    tasks.spawn([](Peer& by, std::string to, std::size_t& all, std::size_t& lost) -> Task<void> {
      const auto answer = co_await by.call_at(to, "small.large", {});
      if (!answer) lost += answer.error().is(codes::peer_gone);
      ++all;
    }(client, at, ended, dropped));
  }
  REQUIRE(until([&] { return ended == kCalls; }));
  CHECK(dropped > 0);
  CHECK(dropped < kCalls);
  CHECK(loop.now() - begin < 2s);
}

TEST_CASE_METHOD(Fixture, "an error ends a stream once, after the chunks that came before it") {
  Stream stream = open("files.count", Payload::raw("13"));
  for (int i = 1; i <= 13; ++i) REQUIRE(wait(stream.read())->has_value());
  CHECK(wait(stream.read()).error().code == "MINE-13");
  CHECK(wait(stream.read()).error().code == "MINE-13");
  CHECK(wait(stream.result()).error().code == "MINE-13");
}

TEST_CASE_METHOD(Fixture, "a request in chunks is read to its end, however large they are") {
  Stream stream = open("files.sum", {}, writing());
  for (const std::size_t size : {1U, 100U, 20'000U, 3'000'000U}) {
    REQUIRE(wait(stream.write(Payload(wire::Encoding::raw, Bytes(size)))));
  }
  REQUIRE(stream.end_writes());
  CHECK(wait(stream.result())->text() == "3020101");
  CHECK(wait(stream.write(Payload::raw("late"))).error().is(codes::stream_closed));
}

TEST_CASE_METHOD(Fixture, "both directions at once") {
  Stream stream = open("files.echo", {}, writing());
  std::size_t came = 0;
  tasks.spawn([](Stream& s, std::size_t& n) -> Task<void> {
    for (;;) {
      auto chunk = co_await s.read();
      if (!chunk || !*chunk) co_return;
      n += (*chunk)->bytes.size();
    }
  }(stream, came));
  for (int i = 0; i < 200; ++i) REQUIRE(wait(stream.write(Payload(wire::Encoding::raw, Bytes(kChunk)))));
  REQUIRE(stream.end_writes());
  CHECK(wait(stream.result()));
  CHECK(until([&] { return came == 200 * kChunk; }));
}

TEST_CASE_METHOD(Fixture, "a writer waits while nobody reads, at one window and one chunk") {
  StreamOptions options;
  options.window = 4 * kChunk;
  Stream stream = open("files.never", {}, options);
  CHECK(until([&] { return written == 4; }));
  for (int i = 0; i < 50; ++i) {
    loop.run_until([] { return false; }, 2ms);
  }
  CHECK(written == 4);
  for (int i = 0; i < 10; ++i) REQUIRE(wait(stream.read())->has_value());
  CHECK(until([&] { return written >= 10; }));
  CHECK(written <= 14);
}

TEST_CASE_METHOD(Fixture, "what was read is granted again in eighths, while the rest of the window is on its way") {
  StreamOptions options;
  options.window = 16 * kChunk;
  Stream stream = open("files.never", {}, options);
  CHECK(until([&] { return written == 16; }));
  for (std::size_t more = 2; more <= 6; more += 2) {
    for (int i = 0; i < 2; ++i) REQUIRE(wait(stream.read())->has_value());
    CHECK(until([&] { return written == 16 + more; }));
  }
}

TEST_CASE_METHOD(Fixture, "chunks of no bytes use up the window too") {
  Stream stream = open("files.deaf", {}, writing());
  constexpr int kFit = 1024 * 1024 / 64;
  int sent = 0;
  tasks.spawn([](Loop& turns, Stream& to, int& count) -> Task<void> {
    const Payload nothing;
    while (count < 2 * kFit && co_await to.write(nothing)) {
      if (++count % 256 == 0) co_await sleep_for(turns, 1us);
    }
  }(loop, stream, sent));
  CHECK(until([&] { return sent == kFit; }));
  for (int i = 0; i < 20; ++i) loop.run_until([] { return false; }, 2ms);
  CHECK(sent == kFit);
  tasks.cancel_all();
}

TEST_CASE_METHOD(Fixture, "a caller that lets go stops the writer within a chunk") {
  {
    StreamOptions options;
    options.window = 4 * kChunk;
    Stream stream = open("files.never", {}, options);
    REQUIRE(wait(stream.read())->has_value());
  }
  const auto before = written;
  CHECK(until([&] { return ends.size() == 1; }));
  CHECK(ends == std::vector<std::string>{"CALL_CANCELLED cancelled"});
  CHECK(written - before <= 4);
  CHECK(until([&] { return server->in_flight() == 0; }));
}

TEST_CASE_METHOD(Fixture, "a process that dies within a stream ends it, for the reader and for the writer") {
  Stream reading = open("files.never");
  REQUIRE(wait(reading.read())->has_value());
  Stream writing_to = open("files.deaf", {}, writing());
  server.reset();
  Result<std::optional<Payload>> last = std::optional<Payload>();
  do last = wait(reading.read());
  while (last && *last);
  REQUIRE_FALSE(last);
  CHECK(last.error().is(codes::peer_gone));
  Result<void> wrote;
  for (int i = 0; i < 100 && wrote; ++i) wrote = wait(writing_to.write(Payload(wire::Encoding::raw, Bytes(kChunk))));
  REQUIRE_FALSE(wrote);
  CHECK(wrote.error().is(codes::peer_gone));
}

TEST_CASE_METHOD(Fixture, "a callee notices that the caller of its stream is gone") {
  auto gone = std::make_unique<Peer>(loop, context, peer_options("gone"), metrics, log);
  StreamOptions options;
  options.window = kChunk;
  auto stream = gone->open_stream_at(endpoint, "files.never", {}, options);
  REQUIRE(stream);
  CHECK(until([&] { return written == 1; }));
  stream->~Stream();
  new (&*stream) Stream(nullptr);
  CHECK(until([&] { return ends.size() == 1; }));
}

TEST_CASE_METHOD(Fixture, "who waits longer than it may is told, and the other end stops") {
  StreamOptions options;
  options.idle = 200ms;
  Stream reading = open("files.deaf", {}, options);
  CHECK(wait(reading.read()).error().is(codes::deadline_exceeded));
  options.writes = true;
  Stream stream = open("files.deaf", {}, options);
  Result<void> wrote;
  for (int i = 0; i < 100 && wrote; ++i) wrote = wait(stream.write(Payload(wire::Encoding::raw, Bytes(kChunk))));
  REQUIRE_FALSE(wrote);
  CHECK(wrote.error().is(codes::deadline_exceeded));
}

TEST_CASE_METHOD(Fixture, "a stream called like a method takes no chunks, and says how to call it") {
  const auto answer = wait(client.call_at(endpoint, "files.count", Payload::raw("3")));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::stream_closed));
  CHECK(wait(client.call_at(endpoint, "files.count", Payload::raw("0"))));
}

TEST_CASE_METHOD(Fixture, "a method opened like a stream answers without chunks; nobody's is told at once") {
  MethodInfo info;
  info.name = "plain";
  server->serve(std::move(info), test::handler([](Call& call) { return Result<Payload>(call.payload()); }));
  Stream stream = open("files.plain", Payload::raw("x"));
  CHECK_FALSE(*wait(stream.read()));
  CHECK(wait(stream.result())->text() == "x");
  Stream wrong = open("files.cuont");
  CHECK(wait(wrong.read()).error().is(codes::no_such_method));
}
