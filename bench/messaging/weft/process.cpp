#include "bench/messaging/weft/process.hpp"

#include <signal.h>

namespace weft::bench::messaging {

namespace {

constexpr Duration joined_within = std::chrono::seconds(10);

mesh::MeshOptions options_of(const std::string& agent, const std::string& registry, Place place) {
  mesh::MeshOptions options;
  Random random = Random::from_os();
  options.peer.mesh = "bench";
  options.peer.host = place.host;
  options.peer.agent = agent;
  options.peer.version = "0.0.0";
  options.peer.instance = Ulid::make(SystemClock().wall(), random);
  options.peer.slot = agent + "-" + options.peer.instance.to_string() + "@" + place.host;
  options.peer.address = std::move(place.address);
  options.peer.run_directory = std::move(place.run_directory);
  options.registries = {registry};
  return options;
}

observe::LogOptions quiet() {
  observe::LogOptions options;
  options.level = observe::Level::error;
  return options;
}

}  // namespace

Member::Member(io::IoLoop& loop, net::Context& context, const std::string& agent, const std::string& registry,
               Place place)
    : log(quiet()), mesh(loop, context, options_of(agent, registry, std::move(place)), metrics, log, health) {}

Unregistered::Unregistered(io::IoLoop& loop, net::Context& context, const std::string& agent, Place place)
    : log(quiet()), peer(loop, context, options_of(agent, "", std::move(place)).peer, metrics, log) {}

Process::Process(bool curve, const std::string& registry) {
  if (!curve) return;
  const auto keys = value_of(net::KeyPair::from_secret("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"));  // of zmq_curve(7)
  net::SecurityOptions options;
  options.secret_key = keys.secret_key;
  options.known_keys["all"] = keys.public_key;
  if (!registry.empty()) options.servers[registry] = keys.public_key;
  value_of(context.secure(loop, std::move(options)));
}

void Process::run(Task<void> task) {
  std::exception_ptr failure;
  tasks.spawn(std::move(task), [&](std::exception_ptr thrown) {
    failure = thrown;
    loop.stop();
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
}

void Process::run_until_told() {
  const io::Signals signals(loop, {SIGTERM}, [this](int) { loop.stop(); });
  loop.run();
}

Task<void> join(Process& process, Member& member, std::string other) {
  value_of(member.mesh.start());
  auto ready = co_await member.mesh.ready(joined_within);
  value_of(std::move(ready));
  const TimePoint end = process.loop.now() + joined_within;
  while (!other.empty() && member.mesh.directory().instances(other).empty()) {
    if (process.loop.now() > end) throw std::runtime_error("no instance of " + other + " was seen");
    co_await sleep_for(process.loop, std::chrono::milliseconds(5));
  }
}

}  // namespace weft::bench::messaging
