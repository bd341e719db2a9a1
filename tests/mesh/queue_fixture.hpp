// What the suites of work queues share: processes with queues, and a worker's ways to work.
#pragma once
#include <set>

#include "tests/mesh/fake_registry.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/observe/trace.hpp"
#include "weft/queue/queue.hpp"

namespace weft::test {

using namespace queue;

struct QueueProcess {
  std::unique_ptr<observe::Tracer> tracer;
  observe::Metrics metrics;
  observe::Health health;
  std::unique_ptr<mesh::Mesh> mesh;
  std::unique_ptr<Queues> queues;
};

struct QueueFixture : MeshFixture {
  FakeRegistry registry{*this};
  TempDir folder;
  std::shared_ptr<const policy::Policies> policies;  // of processes made from now on
  Value rules = Value::Map{{"*", Value::Map{{"retry_delay", "10ms"}}}};

  ~QueueFixture() { loop.turn(); }  // closes the links of processes that are gone, which wait for a turn

  std::unique_ptr<QueueProcess> process(const std::string& agent, const std::string& host = "alpha") {
    auto out = std::make_unique<QueueProcess>();
    mesh::MeshOptions options;
    options.peer = peer_options(agent, host);
    options.peer.policies = policies;
    out->tracer = std::make_unique<observe::Tracer>(random);
    options.peer.tracer = out->tracer.get();
    options.registries = {registry.endpoint()};
    options.report_errors = false;
    Options queues;
    queues.agent = agent;
    queues.host = host;
    queues.instance = options.peer.instance.to_string();
    queues.file = folder / agent + "@" + host;
    queues.rules = rules;
    out->mesh = std::make_unique<mesh::Mesh>(loop, context, options, out->metrics, log, out->health);
    out->queues = std::make_unique<Queues>(loop, *out->mesh, queues, out->metrics, log);
    return out;
  }
  void start(QueueProcess& which) {
    which.queues->start();
    REQUIRE(which.mesh->start());
    REQUIRE(wait(which.mesh->ready(5s)));
  }
  std::unique_ptr<QueueProcess> producer() {
    auto out = process("shop");
    start(*out);
    return out;
  }
  /// Works on "worker.resize": `work` per item.
  using Work = std::function<Task<Result<Payload>>(const Item&)>;
  std::unique_ptr<QueueProcess> worker(Work work, std::size_t concurrency = 1, const std::string& host = "alpha") {
    auto out = process("worker", host);
    ServeOptions options;
    options.concurrency = concurrency;
    out->queues->serve(
        "resize", [work](const Item& item) { return work(item); }, options);
    start(*out);
    return out;
  }
  /// Notes who did what.
  Work noting(const std::string& who) {
    return [this, who](const Item& item) -> Task<Result<Payload>> {
      done.push_back({who, std::string(item.payload.text()), item.attempt});
      co_return Payload::raw("done by " + who);
    };
  }
  /// As noting(), after `delay`.
  Work slow(const std::string& who, Duration delay) {
    return [this, who, delay](const Item& item) -> Task<Result<Payload>> {
      co_await sleep_for(loop, delay);
      done.push_back({who, std::string(item.payload.text()), item.attempt});
      co_return Payload::raw("done by " + who);
    };
  }
  Result<Receipt> push(QueueProcess& from, const std::string& text, PushOptions options = {}) {
    return wait(from.queues->push("worker.resize", Payload::raw(text), std::move(options)));
  }
  Receipt pushed(QueueProcess& from, const std::string& text, PushOptions options = {}) {
    auto receipt = push(from, text, std::move(options));
    REQUIRE(receipt);
    return std::move(*receipt);
  }
  QueueInfo info(QueueProcess& of) {
    const auto reply = of.queues->info("worker.resize");
    REQUIRE(reply.queues.size() == 1);
    return reply.queues[0];
  }
  template <class Reply, class Request>
  Result<Reply> ask(QueueProcess& from, const std::string& target, const Request& request) {
    auto answer = wait(from.mesh->call(target, Payload::of(request)));
    if (!answer) return answer.error();
    return answer->template as<Reply>();
  }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& one : done) out.insert(one.what);
    return out;
  }

  struct DoneItem {
    std::string who, what;
    std::uint32_t attempt;
  };
  std::vector<DoneItem> done;
};

}  // namespace weft::test
