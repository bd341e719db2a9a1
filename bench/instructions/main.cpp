// What a message costs in instructions: rounds of a hundred calls and a hundred publications between two agents of one
// process over ipc. Each half of a path is a function of its own with a loop of its own, so that callgrind tells them
// apart and no thread's timing decides what travels together. run.py counts; this only does the work.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "weft/io/io.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"

namespace {

using namespace weft;

constexpr std::size_t messages_a_round = 100, payload_size = 128;

/// An agent with a loop of its own.
struct Agent {
  Agent(const char* agent, net::Context& context, const std::string& run_directory)
      : peer(loop, context, options(agent, run_directory), metrics, log) {
    if (auto bound = peer.bind(); !bound) throw std::runtime_error(bound.error().describe());
  }
  static peer::PeerOptions options(const char* agent, const std::string& run_directory) {
    Random random = Random::from_os();
    peer::PeerOptions options;
    options.mesh = "bench";
    options.host = "here";
    options.agent = agent;
    options.version = "0.0.0";
    options.instance = Ulid::make(SystemClock().wall(), random);
    options.run_directory = run_directory;
    return options;
  }
  io::IoLoop loop;
  observe::Metrics metrics;
  observe::Log log{observe::LogOptions()};
  peer::Peer peer;
};

struct Work {
  explicit Work(const std::string& folder) : client("client", context, folder), server("server", context, folder) {
    wire::MethodInfo echo;
    echo.name = "echo";
    server.peer.serve(std::move(echo), [this](calls::Call& call) -> Task<Result<wire::Payload>> {
      if (++served == messages_a_round) server.loop.stop();
      co_return call.payload();
    });
    subscription = client.peer.subscribe(*TopicPattern::parse("bench.topic"), [this](const events::Event&) {
      if (++received == messages_a_round) client.loop.stop();
    });
    endpoint = server.peer.record().call_local;
    client.peer.connect_publisher(server.peer.record().publish_local);
  }
  Task<void> call() {
    std::string target = "server.echo";
    wire::Payload payload = wire::Payload::raw(text);
    const calls::CallOptions options;
    auto reply = co_await client.peer.call_at(endpoint, std::move(target), std::move(payload), options);
    if (!reply) throw std::runtime_error(reply.error().describe());
    if (++answered == messages_a_round) client.loop.stop();
  }
  /// Until the subscription has come to the publisher.
  void connect() {
    const std::function<void()> look = [&] {
      if (server.peer.wanted("bench.topic")) return server.loop.stop();
      server.loop.after(std::chrono::milliseconds(1), [&] { look(); });
    };
    look();
    server.loop.run();
  }

  net::Context context;
  Agent client, server;
  events::Subscription subscription;
  std::string endpoint, text = std::string(payload_size, 'x');
  std::size_t served = 0, answered = 0, received = 0;
  TaskScope tasks;
};

}  // namespace

// What run.py looks for in the profile. A call's two ends; what handles the request is counted with its receiver.

extern "C" __attribute__((noinline)) void measured_call_send(Work& work) {
  for (std::size_t i = 0; i < messages_a_round; ++i) work.tasks.spawn(work.call());
  work.client.peer.flush();
}
extern "C" __attribute__((noinline)) void measured_call_serve(Work& work) { work.server.loop.run(); }
extern "C" __attribute__((noinline)) void measured_call_answer(Work& work) { work.client.loop.run(); }

extern "C" __attribute__((noinline)) void measured_event_send(Work& work) {
  for (std::size_t i = 0; i < messages_a_round; ++i) {
    if (!work.server.peer.publish("bench.topic", wire::Payload::raw(work.text))) std::abort();
  }
  work.server.peer.flush();
}
extern "C" __attribute__((noinline)) void measured_event_receive(Work& work) { work.client.loop.run(); }

namespace {

void round(Work& work) {
  work.served = work.answered = work.received = 0;
  measured_call_send(work);
  measured_call_serve(work);
  measured_call_answer(work);
  measured_event_send(work);
  measured_event_receive(work);
}

}  // namespace

/// ROUNDS FOLDER: the work; without words: how this was compiled.
int main(int argc, char** argv) {
#ifdef __OPTIMIZE__
  constexpr const char* optimised = "optimised";
#else
  constexpr const char* optimised = "not optimised";
#endif
  if (argc != 3) {
    std::printf("gcc %d.%d, %s\n", __GNUC__, __GNUC_MINOR__, optimised);
    return 0;
  }
  try {
    Work work(argv[2]);
    work.connect();
    for (int i = std::atoi(argv[1]); i > 0; --i) round(work);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", argv[0], failure.what());
    return 1;
  }
  return 0;
}
