// The work through Weft: processes with a mesh::Mesh each, that find each other by the registry, as agents do.
#include <sys/resource.h>
#include <unistd.h>

#include <memory>

#include "bench/messaging/side.hpp"
#include "bench/messaging/weft/process.hpp"

namespace {

using namespace weft;
using namespace weft::bench::messaging;

/// Over tcp the two are on hosts of different names; over ipc on one, with a folder for sockets.
Place place_of(const Row& row, const char* host) {
  if (row.transport == "tcp") return {host, "127.0.0.1", ""};
  char folder[256];
  if (::getcwd(folder, sizeof folder) == nullptr) throw std::runtime_error("getcwd");
  return {"here", "127.0.0.1", std::string(folder) + "/run"};
}

// ---- calls

Task<Result<wire::Payload>> echo(calls::Call& call) { co_return call.payload(); }

void serve_echo(const Row& row, Place place, const std::string& registry, const Ready& ready) {
  Process process(row.curve, registry);
  Member server(process.loop, process.context, "server", registry, std::move(place));
  wire::MethodInfo method;
  method.name = "echo";
  server.mesh.serve(std::move(method), [](calls::Call& call) { return echo(call); });
  process.run(join(process, server, ""));
  ready(registry);
  process.run_until_told();
}

void answer(const Row& row, const std::string& registry, const Ready& ready) {
  serve_echo(row, place_of(row, "there"), registry, ready);
}

Task<void> call_once(Member& client, std::string_view payload) {
  std::string target = "server.echo";
  wire::Payload request = wire::Payload::raw(payload);
  const calls::CallOptions options;
  auto reply = co_await client.mesh.call(std::move(target), std::move(request), options);
  if (value_of(std::move(reply)).bytes.size() != payload.size()) throw std::runtime_error("another payload came back");
}

Figures call(const Job& job) {
  Process process(job.row.curve, job.endpoint);
  Member client(process.loop, process.context, "client", job.endpoint, place_of(job.row, "here"));
  process.run(join(process, client, "server"));
  const std::string payload(job.row.payload, 'x');
  return measure_calls(job, [&](std::uint64_t count, std::vector<double>* times) {
    std::uint64_t left = count;
    std::size_t callers = job.row.outstanding;
    const auto caller = [&]() -> Task<void> {
      while (left > 0) {
        --left;
        const auto start = times ? Steady::now() : Steady::time_point();
        co_await call_once(client, payload);
        if (times) times->push_back(std::chrono::duration<double>(Steady::now() - start).count());
      }
      if (--callers == 0) process.loop.stop();
    };
    for (std::size_t i = 0; i < job.row.outstanding; ++i) process.tasks.spawn(caller());
    process.loop.run();
  });
}

// ---- publications

/// Publishes what the window allows, at most `turn_max` a turn of the loop.
class Stream {
 public:
  Stream(io::IoLoop& loop, Member& publisher, std::size_t subscribers)
      : loop_(loop), publisher_(publisher), window_(subscribers), probe_(loop) {}

  void heard(const Progress& progress) {
    window_.heard(progress);
    if (window_.all_there() && !std::exchange(running_, true)) turn();
  }
  /// Until every subscriber was heard of.
  void probe() {
    publish();
    if (!window_.all_there()) probe_.start(std::chrono::milliseconds(20), [this] { probe(); });
  }

 private:
  static constexpr int turn_max = 1000;
  void publish() {
    value_of(publisher_.mesh.publish("bench.topic", wire::Payload::raw(publication_.numbered(++sequence_))));
  }
  void turn() {
    for (int i = 0; i < turn_max && sequence_ < window_.allowed(); ++i) publish();
    running_ = sequence_ < window_.allowed();
    if (running_) loop_.post([this] { turn(); });
  }

  io::IoLoop& loop_;
  Member& publisher_;
  Window window_;
  Timer probe_;
  Publication publication_;
  std::uint64_t sequence_ = 0;
  bool running_ = false;
};

void publish(const Row& row, const std::string& registry, const Ready& ready) {
  Process process;
  Member publisher(process.loop, process.context, "publisher", registry, place_of(row, "there"));
  Stream stream(process.loop, publisher, row.subscribers);
  wire::MethodInfo method;
  method.name = "progress";
  publisher.mesh.serve(std::move(method), [&](calls::Call& call) -> Task<Result<wire::Payload>> {
    Progress progress;
    std::memcpy(&progress, call.payload().bytes.data(), std::min(sizeof progress, call.payload().bytes.size()));
    stream.heard(progress);
    co_return wire::Payload();
  });
  value_of(publisher.mesh.publishes("bench.topic"));
  process.run(join(process, publisher, ""));
  stream.probe();
  ready(registry);
  process.run_until_told();
}

Task<void> tell(Member& subscriber, Progress now) {
  std::string target = "publisher.progress";
  wire::Payload payload = wire::Payload::raw({reinterpret_cast<const char*>(&now), sizeof now});
  const calls::CallOptions options;
  auto told = co_await subscriber.mesh.call(std::move(target), std::move(payload), options);
  value_of(std::move(told));
}

Figures subscribe(const Job& job) {
  Process process;
  Arrivals arrivals(job);
  std::vector<std::unique_ptr<Member>> members;
  std::vector<events::Subscription> subscriptions;
  for (std::size_t i = 0; i < job.row.subscribers; ++i) {
    members.push_back(
        std::make_unique<Member>(process.loop, process.context, "subscriber", job.endpoint, place_of(job.row, "here")));
    auto& member = *members.back();
    subscriptions.push_back(value_of(member.mesh.subscribe("bench.topic", [&, i](const events::Event& event) {
      const std::uint64_t sequence = Publication::sequence_of(event.payload.bytes.data());
      if (arrivals.note(i, sequence)) process.tasks.spawn(tell(*members[i], {i, sequence}));
      if (arrivals.done()) process.loop.stop();
    })));
    process.tasks.spawn(join(process, member, "publisher"));
  }
  process.loop.run();
  return arrivals.figures();
}

// ---- links

void accept(const Row&, const std::string&, const Ready& ready) {
  Process process;
  Unregistered server(process.loop, process.context, "server", {"there", "0.0.0.0", ""});
  wire::MethodInfo method;
  method.name = "echo";
  server.peer.serve(std::move(method), [](calls::Call& call) { return echo(call); });
  value_of(server.peer.bind());
  ready(server.peer.record().call_endpoint);  // the client calls it under many addresses
  process.run_until_told();
}

Task<void> call_at(Unregistered& client, std::string endpoint) {
  std::string method = "server.echo";
  wire::Payload payload;
  const calls::CallOptions options;
  auto reply = co_await client.peer.call_at(std::move(endpoint), std::move(method), std::move(payload), options);
  value_of(std::move(reply));
}

Figures connect(const Job& job) {
  Process process;
  Unregistered client(process.loop, process.context, "client", {"here", "127.0.0.1", ""});
  value_of(client.peer.bind());
  const std::string port = job.endpoint.substr(job.endpoint.rfind(':'));
  std::uint64_t opened = 0;
  const auto open = [&](std::uint64_t count) -> Task<void> {
    for (std::uint64_t i = 0; i < count; ++i, ++opened)
      co_await call_at(
          client, "tcp://127.0." + std::to_string(1 + opened / 200) + "." + std::to_string(1 + opened % 200) + port);
  };
  process.run(open(10));  // what a process needs once
  const Resident before(job);
  process.run(open(job.count));
  return before.growth();
}

}  // namespace

int main(int argc, char** argv) { return run_side(argc, argv, {answer, publish, accept, call, subscribe, connect}); }
