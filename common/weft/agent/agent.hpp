// The door of the SDK: what an agent's author includes, and nothing more. docs/writing-an-agent.md teaches it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/actor/actor.hpp"
#include "weft/agent/detail.hpp"
#include "weft/agent/health_check.hpp"
#include "weft/agent/keep_trace.hpp"
#include "weft/agent/stream.hpp"
#include "weft/base/base.hpp"
#include "weft/io/io.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/queue/queue.hpp"

namespace weft {

using calls::Call;
using calls::CallOptions;
using calls::Incoming;
using calls::Interceptor;
using calls::Outgoing;
using calls::StreamOptions;
using events::Event;
using events::PublishOptions;
using events::Retention;
using events::SubscribeOptions;
using wire::Payload;
using QueueItem = queue::Item;
using queue::PushOptions;

struct AgentInfo {
  std::string name;  ///< in the mesh; --name and the fleet file may say otherwise
  std::string version = "0.0.0";
  std::string summary{};        ///< one line for --help
  std::string config_schema{};  ///< JSON schema of the section `agent`; config/schema/agents/<name>.yaml goes before it
  std::string config_defaults{};  ///< YAML of the whole tree ("agent: {greeting: hello}")
  bool loop_bound = false;        ///< its handlers use io/, Timer or mesh(): actors.workers must be 0
};

/// An agent's hold on its process and its mesh. Lives as long as the process. What an agent hands over here (handlers,
/// work, tasks) runs as one actor, in its turns: one piece at a time, though another may start where one waits at
/// co_await. That actor, and those of actors(), run on the loop, or on worker threads when `actors.workers` says so.
/// Set up on the loop's thread; thread-safe in handlers: call, push, publish, report, health(status), spawn, every,
/// sleep, on_loop, ask, actors, log, metrics.
class Agent {
 public:
  virtual ~Agent() = default;

  /// Serves `<name>.<method>`. `handler(Request, Call&)` is a coroutine of type Task<Result<Reply>>; Request and Reply
  /// are Payload, Value, or types that WEFT_FIELDS describes. A request that is no Request is answered `bad_payload`.
  template <class F>
  void serve(std::string method, F handler, std::string summary = {}) {
    using Request = typename detail::Arguments<F>::first;
    serve_payload({std::move(method), std::move(summary)},
                  [handler = std::move(handler)](Call& call) mutable { return answer<Request>(handler, call); });
  }
  /// Works on the queue `<name>.<method>`: takes items as it has room for them. `handler(Request, const QueueItem&)` is
  /// a coroutine of type Task<Result<Reply>>. An Error: tried again, here or elsewhere, as the producer's section
  /// `queues` says; one of kind `invalid`, or a request that is no Request: a dead letter at once. docs/queues.md.
  template <class F>
  void serve_queue(std::string method, F handler, queue::ServeOptions options = {}) {
    using Request = typename detail::Arguments<F>::first;
    serve_queue_payload(
        std::move(method),
        [handler = std::move(handler)](const QueueItem& item) mutable { return answer<Request>(handler, item); },
        std::move(options));
  }
  /// Serves `<name>.<method>` as a stream. `handler(Request, Call&, Stream&)` reads and writes chunks, and its outcome
  /// is the last word; otherwise as serve().
  template <class F>
  void serve_stream(std::string method, F handler, std::string summary = {}) {
    using Request = typename detail::Arguments<F>::first;
    serve_stream_payload({std::move(method), std::move(summary), "stream"},
                         [handler = std::move(handler)](Call& call, Stream& stream) mutable {
                           return answer_stream<Request>(handler, call, stream);
                         });
  }
  /// `handler(Message, const Event&)` for each event whose topic matches. A payload that is no Message is counted,
  /// logged and dropped. A bad pattern is a bug and throws.
  template <class F>
  void subscribe(std::string_view pattern, F handler, SubscribeOptions options = {}) {
    using Message = typename detail::Arguments<F>::first;
    keep_subscription(
        pattern,
        [this, handler = std::move(handler)](const Event& event) mutable {
          auto message = detail::payload_as<Message>(event.payload);
          if (!message) return undecodable(event, message.error());
          handler(std::move(*message), event);
        },
        std::move(options));
  }
  /// Announces a topic or pattern, so that subscribers connect before the first event, and says whether last values
  /// are kept. A bad one is a bug and throws.
  virtual void publishes(std::string pattern, const Retention& retention) = 0;
  void publishes(std::string pattern) { publishes(std::move(pattern), Retention()); }
  /// At most once to each subscriber connected now. Errors: `bad_topic`, `too_large`.
  template <class T>
  Result<void> publish(std::string_view topic, const T& message, const PublishOptions& options = {}) {
    return publish_payload(topic, detail::payload_of(message), options);
  }
  /// `auto summary = co_await agent.call<Summary>("digest.summary", request);`
  template <class Reply = Value, class Request>
  Task<Result<Reply>> call(std::string target, Request request, CallOptions options = {}) {
    auto reply = co_await call_payload(std::move(target), detail::payload_of(request), options);
    if (!reply) co_return reply.error();
    co_return detail::payload_as<Reply>(*reply);
  }
  /// Puts an item into the queue `target` ("worker.resize") and resolves with its id when it is accepted: in memory, or
  /// on disk where the section `queues` says so. Errors: `queue_full`, `too_large`, `bad_name`, `draining`,
  /// `store_failed`, `disk_full`.
  template <class Request>
  Task<Result<Ulid>> push(std::string target, Request item, PushOptions options = {}) {
    return push_payload(std::move(target), detail::payload_of(item), std::move(options));
  }
  /// The same, and resolves when the item is done. Errors: also `dead_lettered`.
  template <class Reply = Value, class Request>
  Task<Result<Reply>> push_and_wait(std::string target, Request item, PushOptions options = {}) {
    auto reply = co_await push_and_wait_payload(std::move(target), detail::payload_of(item), std::move(options));
    if (!reply) co_return reply.error();
    co_return detail::payload_as<Reply>(*reply);
  }
  /// Opens a stream with one instance of the target. Errors: those of mesh::Mesh::open_stream().
  template <class Request>
  Task<Result<Stream>> open_stream(std::string target, Request request, StreamOptions options = {}) {
    return open_stream_payload(std::move(target), detail::payload_of(request), std::move(options));
  }
  /// Adds to the chain that every call of this process passes, out and in; see mesh/interceptor.hpp. Its functions run
  /// on the loop. Only while the agent is set up.
  void intercept(Interceptor interceptor) { mesh().peer().intercept(std::move(interceptor)); }
  /// To the error bus. Never blocks, never throws.
  void report(Severity severity, std::string code, std::string message, std::map<std::string, Value> values = {},
              std::string category = {});
  virtual void report(ErrorEvent event) noexcept = 0;
  /// How well this agent is, in its own word, until it says otherwise: `agent.health(Health::warn, "the disk is 95 %
  /// full")`. Its record in the registry has the worst of this and of all checks: callers leave a critical instance
  /// alone while there is another one, and one with a warning gets half its share. docs/writing-an-agent.md.
  virtual void health(Health::Status status, std::string text = {}) = 0;
  /// Runs a health check at once, and then every `interval`: `run()` returns a CheckResult or a Result<void>, or is a
  /// coroutine of one. A run that throws, or takes longer than `rules.timeout`, has failed. Only while the agent is set
  /// up; a name that is in use is a bug and throws.
  template <class F>
  void check(std::string name, Duration interval, F run, CheckRules rules = {}) {
    rules.interval = interval;
    auto held = std::make_shared<F>(std::move(run));
    add_check(std::move(name), rules, [held] { return detail::run_check(held); });
  }
  /// Runs `work` every `period`, the first time after one; a turn that comes late is not made up for.
  virtual void every(Duration period, std::function<void()> work) = 0;
  /// Runs a coroutine that nobody awaits; an exception from it is reported and ends nothing else.
  virtual void spawn(Task<void> task) = 0;
  virtual Task<void> sleep(Duration delay) = 0;
  /// `co_await agent.on_loop<int>([&agent]() -> Task<Result<int>> { … })`: for what is loop-bound, such as io/; goes on
  /// in the turn of the actor that awaits it, also with what it throws. When that actor ends meanwhile, the work goes
  /// on: it owns what it uses.
  template <class T>
  Task<Result<T>> on_loop(UniqueFunction<Task<Result<T>>()> work) {
    if (in_loop() && !actor::Context::in_turn()) {
      detail::KeepTrace<Result<T>> done(work());
      co_return co_await done;
    }
    auto here = actor::Context::current();
    actor::Responder<detail::LoopOutcome<T>> give;
    auto answer = here.template promise<detail::LoopOutcome<T>>(give, Duration());
    spawn_on_loop(detail::answer_from<T>(std::move(work), std::move(give)));
    auto outcome = co_await answer;
    if (!outcome) co_return outcome.error();
    if (outcome->index() == 1) std::rethrow_exception(std::get<1>(*outcome));
    co_return std::move(std::get<0>(*outcome));
  }
  /// The actors of this agent: `agent.actors().start<Worker>(…)`. What fails in them goes to the error bus.
  virtual actor::System& actors() noexcept = 0;
  /// Asks an actor. Errors: see actor::Context::request.
  template <class T, class M>
  Task<Result<actor::ReplyOf<T, M>>> ask(actor::Ref<T> to, M message, Duration timeout) {
    using R = actor::ReplyOf<T, M>;
    if (actor::Context::in_turn()) {
      auto here = actor::Context::current();
      co_return co_await here.request(to, std::move(message), timeout);
    }
    Completion<Result<R>> completion;
    detail::LoopPort<R>::ask(actors(), loop(), to, actor::detail::envelope_of(std::move(message)), timeout,
                             completion.completer());
    detail::KeepTrace<Result<R>> answer(detail::answer_of(std::move(completion)));
    co_return co_await answer;
  }
  /// The section `agent` of the configuration. The schema has checked it; what still does not fit ends the process
  /// with 78.
  template <class Settings>
  Settings settings() {
    Settings read{};  // not a Result<Settings>: g++ 12 -O2 warns without reason that its destructor frees the stack
    if (auto done = read_value(settings_value(), read, "agent", Unknown::refuse); !done) refuse_settings(done.error());
    return read;
  }

  /// Ends the process with 78: for what a schema cannot say about the settings. Only while the agent is set up.
  [[noreturn]] virtual void refuse_settings(const Error& error) = 0;

  virtual const std::string& name() const noexcept = 0;
  virtual const std::string& host() const noexcept = 0;
  virtual mesh::Mesh& mesh() noexcept = 0;  ///< loop-bound, as all that it has
  virtual io::IoLoop& loop() noexcept = 0;
  virtual observe::Log& log() noexcept = 0;
  virtual observe::Metrics& metrics() noexcept = 0;
  virtual observe::Health& health() noexcept = 0;
  virtual io::Pool& pool() noexcept = 0;
  virtual std::string state_directory() const = 0;  ///< this agent's own, created; kept over restarts

 protected:
  using StreamHandler = UniqueFunction<Task<Result<Payload>>(Call&, Stream&)>;

 private:
  /// `in` is what the request came with: a Call, or an item of a queue.
  template <class Request, class F, class In>
  static Task<Result<Payload>> answer(F& handler, In& in) {
    auto request = detail::payload_as<Request>(payload_in(in));
    if (!request) co_return request.error();
    auto reply = co_await handler(std::move(*request), in);
    if (!reply) co_return reply.error();
    if constexpr (std::is_void_v<typename decltype(reply)::value_type>) {
      co_return Payload::of(Value());
    } else {
      co_return detail::payload_of(*reply);
    }
  }
  static const Payload& payload_in(const Call& call) noexcept { return call.payload(); }
  static const Payload& payload_in(const QueueItem& item) noexcept { return item.payload; }
  template <class Request, class F>
  static Task<Result<Payload>> answer_stream(F& handler, Call& call, Stream& stream) {
    auto request = detail::payload_as<Request>(call.payload());
    if (!request) co_return request.error();
    auto reply = co_await handler(std::move(*request), call, stream);
    if (!reply) co_return reply.error();
    if constexpr (std::is_void_v<typename decltype(reply)::value_type>) {
      co_return Payload::of(Value());
    } else {
      co_return detail::payload_of(*reply);
    }
  }
  friend class Stream;

  virtual const Value& settings_value() const = 0;
  virtual void add_check(std::string name, CheckRules rules, std::function<Task<CheckResult>()> run) = 0;
  virtual void serve_payload(wire::MethodInfo method, calls::Handler handler) = 0;
  virtual Result<void> publish_payload(std::string_view topic, Payload payload, const PublishOptions& options) = 0;
  virtual Task<Result<Payload>> call_payload(std::string target, Payload payload, CallOptions options) = 0;
  virtual void serve_queue_payload(std::string method, queue::Handler handler, queue::ServeOptions options) = 0;
  virtual Task<Result<Ulid>> push_payload(std::string target, Payload payload, PushOptions options) = 0;
  virtual Task<Result<Payload>> push_and_wait_payload(std::string target, Payload payload, PushOptions options) = 0;
  virtual void serve_stream_payload(wire::MethodInfo method, StreamHandler handler) = 0;
  virtual Task<Result<Stream>> open_stream_payload(std::string target, Payload payload, StreamOptions options) = 0;
  virtual bool in_loop() const noexcept = 0;
  virtual void spawn_on_loop(Task<void> task) = 0;
  virtual void keep_subscription(std::string_view pattern, events::EventHandler handler, SubscribeOptions options) = 0;
  virtual void undecodable(const Event& event, const Error& error) = 0;
};

/// Runs a whole agent: flags, configuration, mesh, admin door, drain on TERM. `setup` builds the agent's objects and
/// returns what keeps them alive. Returns the exit code of main().
int run_agent(int argc, char** argv, AgentInfo info, std::function<std::shared_ptr<void>(Agent&)> setup);

/// `class Greeter { public: Greeter(GreeterSettings, weft::Agent&); };`
/// `int main(int argc, char** argv) { return weft::run_agent<Greeter, GreeterSettings>(argc, argv, {"greeter",
/// "1.0.0"}); }`
template <class Work, class Settings>
int run_agent(int argc, char** argv, AgentInfo info) {
  return run_agent(argc, argv, std::move(info), [](Agent& agent) -> std::shared_ptr<void> {
    return std::make_shared<Work>(agent.settings<Settings>(), agent);
  });
}

}  // namespace weft
