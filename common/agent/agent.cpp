#include "weft/agent/agent.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "weft/net/net.hpp"
#include "weft/program/program.hpp"

namespace weft {
namespace {

constexpr Duration kDrainBudget = 4s;
constexpr unsigned kPoolThreads = 2;

class Hosted final : public Agent {
 public:
  Hosted(program::Program& program, const AgentInfo& info)
      : program_(program),
        mesh_(program.loop(), context_, options(program, info), program.metrics(), program.log(), program.health()),
        pool_(program.loop(), kPoolThreads),
        undecodable_(program.metrics().counter("weft_messages_dropped_total", "Messages lost, by class and reason",
                                               {{"class", "event"}, {"reason", "undecodable"}})) {}

  void publishes(std::string pattern) override {
    if (auto fine = mesh_.publishes(std::move(pattern)); !fine) throw std::logic_error(fine.error().message);
  }
  void every(Duration period, std::function<void()> work) override {
    auto& timer = *timers_.emplace_back(std::make_unique<Timer>(program_.loop()));
    arm(timer, period, std::make_shared<std::function<void()>>(std::move(work)));
  }
  void spawn(Task<void> task) override {
    tasks_.spawn(std::move(task), [this](std::exception_ptr failure) {
      if (failure) failed("a task", failure);
    });
  }

  const std::string& name() const noexcept override { return program_.agent(); }
  const std::string& host() const noexcept override { return mesh_host_; }
  mesh::Mesh& mesh() noexcept override { return mesh_; }
  io::IoLoop& loop() noexcept override { return program_.loop(); }
  observe::Log& log() noexcept override { return program_.log(); }
  observe::Metrics& metrics() noexcept override { return program_.metrics(); }
  observe::Health& health() noexcept override { return program_.health(); }
  io::Pool& pool() noexcept override { return pool_; }
  std::string state_directory() const override {
    const std::string path = program_.config().get<std::string>("state.directory") + "/agents/" + program_.agent();
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) throw std::runtime_error("cannot create " + path + ": " + error.message());
    return path;
  }

  static mesh::MeshOptions options(program::Program& program, const AgentInfo& info) {
    mesh::MeshOptions options = mesh::options_from(program.config(), program.agent(), info.version);
    options.admin = program.admin_address();
    options.tags["env"] = program.environment();
    return options;
  }

 private:
  void arm(Timer& timer, Duration period, std::shared_ptr<std::function<void()>> work) {
    timer.start(period, [this, &timer, period, work] {
      arm(timer, period, work);
      try {
        (*work)();
      } catch (...) {
        failed("work done every " + to_text(period), std::current_exception());
      }
    });
  }
  void failed(const std::string& what, const std::exception_ptr& failure) {
    std::string why = "an exception of an unknown type";
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& thrown) {
      why = thrown.what();
    } catch (...) {  // NOLINT: `why` says it
    }
    log().error("an exception escaped", {{"from", what}, {"what", why}});
    report(Severity::error, std::string(codes::handler_failed.id), "{from} threw: {what}",
           {{"from", what}, {"what", why}}, "handler");
  }

  const Value& settings_value() const override {
    static const Value kEmpty = Value::Map();
    const Value& section = program_.config().at("agent");
    return section.is_null() ? kEmpty : section;
  }
  void refuse_settings(const Error& error) override {
    std::fprintf(stderr, "%s: the configuration does not fit this program: %s\n", name().c_str(),
                 error.message.c_str());
    std::exit(program::exit_code::config);
  }
  void keep_subscription(std::string_view pattern, mesh::EventHandler handler) override {
    auto subscription = mesh_.subscribe(pattern, std::move(handler));
    if (!subscription) throw std::logic_error(subscription.error().message);
    subscriptions_.push_back(std::move(*subscription));
  }
  void undecodable(const Event& event, const Error& error) override {
    undecodable_.add();
    log().warn("an event cannot be read", {{"topic", event.topic}, {"error", error.message}});
  }

  program::Program& program_;
  net::Context context_;
  mesh::Mesh mesh_;
  std::string mesh_host_ = mesh_.peer().options().host;
  io::Pool pool_;
  observe::Counter& undecodable_;
  std::vector<std::unique_ptr<Timer>> timers_;
  std::vector<mesh::Subscription> subscriptions_;
  TaskScope tasks_;
};

Task<void> start_up(program::Program& program, mesh::Mesh& mesh) {
  for (;;) {  // an agent without its registry is alive but not ready
    if (auto ready = co_await mesh.ready(1h); ready) break;
  }
  program.ready();
}

}  // namespace

void Agent::report(Severity severity, std::string code, std::string message, std::map<std::string, Value> values,
                   std::string category) {
  ErrorEvent event;
  event.severity = severity;
  event.code = std::move(code);
  event.message = std::move(message);
  event.values = std::move(values);
  event.category = std::move(category);
  mesh().report(std::move(event));
}

int run_agent(int argc, char** argv, AgentInfo info, std::function<std::shared_ptr<void>(Agent&)> setup) {
  auto started = program::Program::start(
      argc, argv, {info.name, info.version, info.summary, info.config_schema, info.config_defaults});
  if (const int* code = std::get_if<int>(&started)) return *code;
  program::Program& program = *std::get<0>(started);
  auto fail = [&](const char* what, const Error& error) {
    program.log().error(what, error);
    return program::exit_code_of(error);
  };
  if (auto admin = program.open_admin(); !admin) return fail("the admin door cannot be opened", admin.error());

  Hosted agent(program, info);
  agent.mesh().on_fenced([&program] { program.quit(program::exit_code::temporary); });
  std::shared_ptr<void> work;
  try {
    work = setup(agent);
  } catch (const std::exception& thrown) {
    return fail("the agent cannot start", Error(codes::start_failed, thrown.what()));
  }
  if (auto begun = agent.mesh().start(); !begun) return fail("the mesh cannot be joined", begun.error());
  TaskScope starting;
  starting.spawn(start_up(program, agent.mesh()));
  return program.run([&agent] { return agent.mesh().drain(kDrainBudget); }, kDrainBudget + 500ms);
}

}  // namespace weft
