// Processes in a mesh with the registry of a few lines.
#pragma once
#include "tests/mesh/fake_registry.hpp"
#include "weft/policy/policy.hpp"

namespace weft::test {

using namespace weft::mesh;

struct RegistryFixture : MeshFixture {
  std::shared_ptr<const Policies> policies;  // of processes made from now on
  std::unique_ptr<FakeRegistry> registry = std::make_unique<FakeRegistry>(*this);
  std::vector<std::string> more_registries;  // behind `registry`, of processes made from now on
  struct Process {
    observe::Metrics metrics;
    observe::Health health;
    std::unique_ptr<Mesh> mesh;
    Mesh* operator->() { return mesh.get(); }
  };
  std::unique_ptr<Process> process(const std::string& agent, const std::string& host = "alpha",
                                   const std::string& slot = {}) {
    auto out = std::make_unique<Process>();
    MeshOptions options;
    options.peer = peer_options(agent, host);
    options.peer.policies = policies;
    if (!slot.empty()) options.peer.slot = slot;
    options.registries = {registry->endpoint()};
    options.registries.insert(options.registries.end(), more_registries.begin(), more_registries.end());
    options.report_errors = false;
    out->mesh = std::make_unique<Mesh>(loop, context, options, out->metrics, log, out->health);
    return out;
  }
  std::unique_ptr<Process> echo(const std::string& host = "alpha") {
    auto out = process("echo", host);
    (*out)->serve({"where", ""}, handler([host](Call&) -> Result<Payload> { return Payload::of(host); }));
    start(*out);
    return out;
  }
  void start(Process& which) {
    REQUIRE(which->start());
    REQUIRE(wait(which->ready(5s)));
  }
};

}  // namespace weft::test
