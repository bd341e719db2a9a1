// Hosted: an agent in its process: the SDK's door on a program, a mesh and a system of actors. Private to agent.
#pragma once
#include <mutex>
#include <thread>

#include "weft/agent/agent.hpp"
#include "weft/agent/agent_health.hpp"
#include "weft/agent/error_bus_monitor.hpp"
#include "weft/agent/handlers.hpp"
#include "weft/net/net.hpp"
#include "weft/program/program.hpp"

namespace weft {

class Hosted final : public Agent {
 public:
  Hosted(program::Program& program, const AgentInfo& info);

  using Agent::report;
  void report(ErrorEvent event) noexcept override;
  using Agent::publishes;
  void publishes(std::string pattern, const Retention& retention) override;
  void health(Health::Status status, std::string text) override;
  void every(Duration period, std::function<void()> work) override;
  void spawn(Task<void> task) override;
  Task<void> sleep(Duration delay) override;

  const std::string& name() const noexcept override { return program_.agent(); }
  const std::string& host() const noexcept override { return mesh_host_; }
  mesh::Mesh& mesh() noexcept override { return mesh_; }
  io::IoLoop& loop() noexcept override { return program_.loop(); }
  observe::Log& log() noexcept override { return program_.log(); }
  observe::Metrics& metrics() noexcept override { return program_.metrics(); }
  observe::Health& health() noexcept override { return program_.health(); }
  io::Pool& pool() noexcept override { return pool_; }
  actor::System& actors() noexcept override { return actors_; }
  std::string state_directory() const override;

  /// Drains the mesh, then the actors; at most `budget` together.
  Task<void> drain(Duration budget);
  /// No actor runs after it; false when one does not stop, which is told.
  bool stop_actors();

 private:
  const Value& settings_value() const override;
  void refuse_settings(const Error& error) override;
  void add_check(std::string name, CheckRules rules, std::function<Task<CheckResult>()> run) override;
  void publish_health(Health::Status status, const std::string& text);
  void serve_payload(wire::MethodInfo method, calls::Handler handler) override;
  Result<void> publish_payload(std::string_view topic, Payload payload, const PublishOptions& options) override;
  Task<Result<Payload>> call_payload(std::string target, Payload payload, CallOptions options) override;
  void keep_subscription(std::string_view pattern, events::EventHandler handler, SubscribeOptions options) override;
  void undecodable(const Event& event, const Error& error) override;
  void dropped(const Event& event, events::Drop reason);
  void serve_queue_payload(std::string method, queue::Handler handler, queue::ServeOptions options) override;
  Task<Result<Ulid>> push_payload(std::string target, Payload payload, PushOptions options) override;
  Task<Result<Payload>> push_and_wait_payload(std::string target, Payload payload, PushOptions options) override;
  bool in_loop() const noexcept override { return std::this_thread::get_id() == loop_thread_; }
  void spawn_on_loop(Task<void> task) override;

  void serve_stream_payload(wire::MethodInfo method, StreamHandler handler) override;
  Task<Result<Stream>> open_stream_payload(std::string target, Payload payload, StreamOptions options) override;

  using Work = UniqueFunction<Task<Result<Payload>>()>;
  /// Runs a handler in the turns of the agent's actor, and in the trace of `call`, which `waits` where its caller may
  /// stop waiting; what `work` borrows lives as long as it.
  Task<Result<Payload>> handle(const Call& call, bool waits, Work work);
  static void join_trace(TraceContext& trace);
  template <class Message>
  Result<void> send_traced(Message message, const TraceContext& trace);
  void start_from_actors();
  void hand_over(events::EventHandler& handler, const Event& event);
  void failed(const std::string& what, const std::exception_ptr& failure);
  void serve_tree();
  void tell_stuck(const actor::ShutdownReport& report);

  program::Program& program_;
  const std::thread::id loop_thread_ = std::this_thread::get_id();
  net::Context context_;
  mesh::Mesh mesh_;
  AgentHealth agent_health_;
  queue::Queues queues_;
  std::string mesh_host_ = mesh_.peer().options().host;
  io::Pool pool_;
  observe::Counter &event_failures_, &expired_;
  std::vector<events::Subscription> subscriptions_;
  ErrorBusMonitor monitor_;
  actor::System actors_;  // after all that its actors use
  actor::Ref<Handlers> handlers_;
  // What actors left for the loop may hold answers to them: it goes before they do.
  std::mutex from_actors_mutex_;
  std::vector<Task<void>> from_actors_;
  TaskScope loop_tasks_;
};

}  // namespace weft
