#include "bench/weft_side.hpp"

#include <stdexcept>

#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"

namespace weft::bench {

namespace {

constexpr std::size_t kPublishedATurn = 256;

/// What a process of the mesh has, without the registry: the endpoint comes from the other process.
struct Process {
  io::IoLoop loop;
  net::Context context;
  observe::Metrics metrics;
  observe::Log log{observe::LogOptions()};
  mesh::Peer peer{loop, context, options(), metrics, log};
  TaskScope tasks;

  static mesh::PeerOptions options() {
    Random random = Random::from_os();
    mesh::PeerOptions options;
    options.mesh = "bench";
    options.host = "here";
    options.agent = "bench";
    options.version = "0";
    options.instance = Ulid::make(SystemClock().wall(), random);
    return options;
  }
  void bind() {
    if (auto bound = peer.bind(); !bound) throw std::runtime_error(bound.error().describe());
  }
  /// Runs the loop until `task` is done.
  void run(Task<void> task) {
    std::exception_ptr failure;
    tasks.spawn(std::move(task), [&](std::exception_ptr thrown) {
      failure = thrown;
      loop.stop();
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
  }
};

mesh::Payload payload() { return mesh::Payload::raw(std::string(kPayloadSize, 'x')); }

Task<void> call_once(Process& process, const std::string& endpoint) {
  std::string method = "bench.echo";
  mesh::Payload request = payload();
  const mesh::CallOptions options;
  const auto reply = co_await process.peer.call_at(endpoint, std::move(method), std::move(request), options);
  if (!reply) throw std::runtime_error(reply.error().describe());
}

Task<Result<mesh::Payload>> echo(mesh::Call& call) { co_return call.payload(); }

}  // namespace

void weft_echo_server(const Ready& ready) {
  Process process;
  mesh::MethodInfo method;
  method.name = "echo";
  process.peer.serve(std::move(method), [](mesh::Call& call) { return echo(call); });
  process.bind();
  ready(process.peer.record().call_endpoint);
  process.loop.run();
}

void weft_publisher(const Ready& ready) {
  Process process;
  process.bind();
  ready(process.peer.record().publish_endpoint);
  const std::string text(kPayloadSize, 'x');
  std::function<void()> turn = [&] {
    for (std::size_t i = 0; i < kPublishedATurn; ++i) {
      if (auto sent = process.peer.publish("bench.topic", mesh::Payload::raw(text)); !sent) process.loop.stop();
    }
    process.loop.post([&] { turn(); });
  };
  turn();
  process.loop.run();
}

std::vector<double> weft_round_trips(const std::string& endpoint, std::size_t calls) {
  Process process;
  std::vector<double> taken;
  taken.reserve(calls);
  const auto work = [&]() -> Task<void> {
    for (std::size_t i = 0; i < calls; ++i) {
      const TimePoint start = process.loop.now();
      co_await call_once(process, endpoint);
      taken.push_back(to_seconds(process.loop.now() - start));
    }
  };
  process.run(work());
  return taken;
}

double weft_call_rate(const std::string& endpoint, std::size_t outstanding, std::size_t calls) {
  Process process;
  process.run(call_once(process, endpoint));  // connected
  std::size_t left = calls, callers = outstanding;
  const auto caller = [&]() -> Task<void> {
    while (left > 0) {
      --left;
      co_await call_once(process, endpoint);
    }
    if (--callers == 0) process.loop.stop();
  };
  const TimePoint start = process.loop.now();
  for (std::size_t i = 0; i < outstanding; ++i) process.tasks.spawn(caller());
  process.loop.run();
  return static_cast<double>(calls) / to_seconds(process.loop.now() - start);
}

double weft_receive_rate(const std::string& endpoint, double seconds) {
  Process process;
  std::size_t count = 0;
  bool started = false;
  TimePoint start;
  const auto subscription = process.peer.subscribe(*TopicPattern::parse("bench.topic"), [&](const mesh::Event&) {
    ++count;
    if (std::exchange(started, true)) return;
    const auto warm_up = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds / 5));
    const auto whole = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    process.loop.after(warm_up, [&, whole] {
      count = 0;
      start = process.loop.now();
      process.loop.after(whole, [&] { process.loop.stop(); });
    });
  });
  process.peer.connect_publisher(endpoint);
  process.loop.run();
  return static_cast<double>(count) / to_seconds(process.loop.now() - start);
}

}  // namespace weft::bench
