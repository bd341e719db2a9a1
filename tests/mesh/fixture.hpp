// What the mesh suite shares: a manual loop, quiet log and metrics, a registry of a few lines, and co_await made a
// value.
#pragma once
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"
#include "weft/policy/policy.hpp"

namespace weft::test {

struct MeshFixture {
  ManualLoop loop;
  net::Context context;
  observe::Metrics metrics;
  std::vector<std::string> lines;
  observe::Log log{observe::LogOptions{}, loop.clock(), [this](std::string_view line) { lines.emplace_back(line); }};
  observe::Health health;
  Random random{42};
  TaskScope tasks;

  Ulid id() { return Ulid::make(loop.clock().wall(), random); }
  peer::PeerOptions peer_options(const std::string& agent, const std::string& host = "alpha") {
    peer::PeerOptions options;
    options.mesh = "test";
    options.host = host;
    options.agent = agent;
    options.version = "1.0.0";
    options.slot = agent + "@" + host;
    options.instance = id();
    return options;
  }
  /// Turns the loop, and moves its time a little, until `task` has its value.
  template <class T>
  T wait(Task<T> task, Duration limit = std::chrono::seconds(10)) {
    std::optional<T> value;
    tasks.spawn(
        [](Task<T> t, std::optional<T>& out) -> Task<void> { out.emplace(co_await t); }(std::move(task), value));
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!value && std::chrono::steady_clock::now() < end) {
      loop.run_until([&] { return value.has_value(); }, std::chrono::milliseconds(2));
      if (!value) loop.advance(std::chrono::milliseconds(2));
    }
    REQUIRE(value);
    return std::move(*value);
  }
  /// The same for a condition.
  bool until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop.run_until(done, std::chrono::milliseconds(2));
      if (!done()) loop.advance(std::chrono::milliseconds(2));
    }
    return done();
  }
};

/// Each rule is what `--set mesh.policies.<rule>` says.
inline std::shared_ptr<const policy::Policies> policies_of(const std::vector<std::string>& rules) {
  config::LoadOptions options;
  for (const auto& rule : rules) options.sets.push_back("mesh.policies." + rule);
  auto loaded = config::load(options);
  for (const auto& mistake : loaded.mistakes()) UNSCOPED_INFO(mistake.describe());
  REQUIRE(loaded.ok());
  return std::make_shared<const policy::Policies>(policy::Policies::from(loaded.config()).value());
}

/// Serves what `handler` makes of a request.
template <class F>
calls::Handler handler(F make) {
  return [make](calls::Call& call) -> Task<Result<wire::Payload>> { co_return make(call); };
}

}  // namespace weft::test
