// Workers that are slow, fail and count as a test says, and one client that calls them.
#pragma once
#include "tests/mesh/registry_fixture.hpp"

namespace weft::test {

struct WorkerFixture : RegistryFixture {
  struct Worker {
    std::unique_ptr<Process> process;
    std::string id;
    int calls = 0, cancelled = 0;
    Duration takes{};
    std::optional<Error> fails;
  };
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<Process> client;

  /// Rules as `--set mesh.policies.<rule>`, for processes made from now on.
  void set(const std::vector<std::string>& rules) { policies = policies_of(rules); }
  Worker& add(const std::string& host = "alpha") {
    auto& worker = *workers.emplace_back(std::make_unique<Worker>());
    worker.process = process("work", host, "work-" + std::to_string(workers.size()) + "@" + host);
    (*worker.process)->serve({"do", ""}, [this, &worker](Call& call) -> Task<Result<Payload>> {
      ++worker.calls;
      const TimePoint end = loop.now() + worker.takes;
      while (loop.now() < end && !call.cancelled()) co_await sleep_for(loop, 1ms);
      worker.cancelled += call.cancelled();
      if (worker.fails) co_return *worker.fails;
      co_return Payload::raw(worker.id);
    });
    start(*worker.process);
    worker.id = (*worker.process)->peer().options().instance.to_string();
    return worker;
  }
  /// The client knows as many workers as were added.
  Mesh& connect() {
    client = process("client");
    start(*client);
    REQUIRE(until([&] { return (*client)->directory().instances("work").size() == workers.size(); }));
    return *client->mesh;
  }
  Result<Payload> call(CallOptions options = {}) {
    return wait((*client)->call("work.do", Payload::raw("x"), std::move(options)));
  }
  /// Calls one after the other; what each worker got of them.
  std::vector<int> calls(int count) {
    std::vector<int> before, got;
    for (const auto& worker : workers) before.push_back(worker->calls);
    for (int i = 0; i < count; ++i) (void)call();
    for (std::size_t i = 0; i < workers.size(); ++i) got.push_back(workers[i]->calls - before[i]);
    return got;
  }
  double metric(const std::string& name, const observe::Labels& labels) {
    return name.ends_with("_total") ? static_cast<double>(client->metrics.counter(name, "", labels).value())
                                    : client->metrics.gauge(name, "", labels).value();
  }
};

}  // namespace weft::test
