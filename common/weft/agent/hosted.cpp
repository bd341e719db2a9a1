#include "weft/agent/hosted.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "weft/agent/actor_metrics.hpp"
#include "weft/agent/owned_event.hpp"
#include "weft/agent/tree_of.hpp"
#include "weft/events/consumer_span.hpp"
#include "weft/observe/shared_metrics.hpp"
#include "weft/policy/policy.hpp"

namespace weft {
namespace {

constexpr unsigned kPoolThreads = 2;

mesh::MeshOptions mesh_options(program::Program& program, const AgentInfo& info) {
  mesh::MeshOptions options = mesh::options_from(program.config(), program.agent(), info.version);
  options.admin = program.admin_address();
  options.tags["env"] = program.environment();
  options.peer.tracer = &program.tracer();
  return options;
}

std::unique_ptr<actor::Scheduler> scheduler_of(program::Program& program) {
  const auto workers = program.config().get<std::int64_t>("actors.workers");
  if (workers == 0) return actor::on_loop(program.loop());
  actor::ParallelOptions options;
  options.workers = static_cast<unsigned>(workers);
  return actor::parallel(std::move(options));
}

actor::SystemOptions system_options(const program::Program& program) {
  actor::SystemOptions options;
  options.actors_max = static_cast<std::uint64_t>(program.config().get<std::int64_t>("actors.max"));
  return options;
}

queue::Options queue_options(const program::Program& program, const peer::PeerOptions& peer) {
  auto options = queue::options_from(program.config(), peer);
  if (!options) throw std::runtime_error(options.error().message);
  return std::move(*options);
}

/// One answer from a handler's turn to the call that waits on the loop; when the handler is ended without one, that is
/// told.
class Answer {
 public:
  using Outcome = std::variant<Result<Payload>, std::exception_ptr>;
  Answer(Loop& loop, bool elsewhere, Completion<Outcome>::Completer completer)
      : loop_(&loop), elsewhere_(elsewhere), completer_(std::move(completer)) {}
  Answer(Answer&&) = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (completer_.wanted())
      give(Result<Payload>(Error(codes::draining, "the agent stopped before it had handled this")));
  }
  void give(Outcome outcome) {
    if (!elsewhere_) {
      completer_.complete(std::move(outcome));
      return;
    }
    loop_->post([completer = std::move(completer_), outcome = std::move(outcome)]() mutable {
      completer.complete(std::move(outcome));
    });
  }

 private:
  Loop* loop_;
  bool elsewhere_;
  Completion<Outcome>::Completer completer_;
};

Task<void> wait_for(Loop& loop, Duration delay) { co_await sleep_for(loop, delay); }

}  // namespace

Hosted::Hosted(program::Program& program, const AgentInfo& info)
    : program_(program),
      mesh_(program.loop(), peer::secured(context_, program.loop(), program.config()), mesh_options(program, info),
            program.metrics(), program.log(), program.health()),
      agent_health_(program.loop(), program.health(), program.metrics(), program.log(),
                    [this](Health::Status status, const std::string& text) { publish_health(status, text); }),
      queues_(program.loop(), mesh_, queue_options(program, mesh_.peer().options()), program.metrics(), program.log()),
      pool_(program.loop(), kPoolThreads),
      event_failures_(observe::event_handler_failures(program.metrics())),
      expired_(observe::expired_requests(program.metrics(), "mailbox")),
      monitor_(program.loop(), [this](ErrorEvent event) { mesh_.report(std::move(event)); }),
      actors_(scheduler_of(program), system_options(program), &monitor_) {
  actor::SpawnOptions options;
  options.name = "handlers";
  options.mailbox.capacity = static_cast<std::uint32_t>(program.config().get<std::int64_t>("actors.mailbox"));
  auto spawned = actors_.spawn<Handlers>(
      options, [this](const std::string& what, const std::exception_ptr& failure) { failed(what, failure); });
  if (!spawned) throw std::runtime_error(spawned.error().message);
  handlers_ = *spawned;
  export_actor_metrics(program.metrics(), actors_, monitor_,
                       program.config().get<std::vector<std::string>>("actors.metrics"));
  serve_tree();
  queues_.start();
  program.on_reload([this](const config::Config& fresh) { mesh_.set_policies(policy::policies_from(fresh)); });
}

void Hosted::report(ErrorEvent event) noexcept {
  if (in_loop()) return mesh_.report(std::move(event));
  loop().post([this, event = std::move(event), trace = current_trace_or_none()]() mutable {
    const TraceScope scope(trace);
    mesh_.report(std::move(event));
  });
}

void Hosted::publishes(std::string pattern, const Retention& retention) {
  if (auto fine = mesh_.publishes(std::move(pattern), retention); !fine) throw std::logic_error(fine.error().message);
}

void Hosted::every(Duration period, std::function<void()> work) {
  Repeat repeat{{std::make_shared<std::function<void()>>(std::move(work)), period}};
  if (auto sent = actors_.send(handlers_, std::move(repeat)); !sent) throw std::runtime_error(sent.error().message);
}

void Hosted::spawn(Task<void> task) {
  Job job{[task = std::move(task)]() mutable -> Task<void> { return std::move(task); }};
  if (auto sent = actors_.send(handlers_, std::move(job)); !sent) log().error("a task was not started", sent.error());
}

Task<void> Hosted::sleep(Duration delay) {
  if (in_loop()) {
    detail::KeepTrace<void> slept(wait_for(loop(), delay));
    co_await slept;
  } else {
    auto here = actor::Context::current();
    co_await here.sleep(delay);
  }
}

std::string Hosted::state_directory() const {
  const std::string path = program_.config().get<std::string>("state.directory") + "/agents/" + program_.agent();
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw std::runtime_error("cannot create " + path + ": " + error.message());
  return path;
}

void Hosted::serve_payload(wire::MethodInfo method, calls::Handler handler) {
  auto held = std::make_shared<calls::Handler>(std::move(handler));
  mesh_.serve(std::move(method), [this, held](Call& call) {
    return handle(call, true, [this, held, &call] {
      if (call.trace().sampled()) call.set_begun(loop().now());
      return (*held)(call);
    });
  });
}

void Hosted::serve_stream_payload(wire::MethodInfo method, StreamHandler handler) {
  auto held = std::make_shared<StreamHandler>(std::move(handler));
  mesh_.serve_stream(std::move(method), [this, held](Call& call, calls::Stream& stream) {
    auto here = std::make_shared<Stream>(*this, std::move(stream));
    return handle(call, true, [held, &call, here] { return (*held)(call, *here); });
  });
}

Task<Result<Stream>> Hosted::open_stream_payload(std::string target, Payload payload, StreamOptions options) {
  if (!options.within) join_trace(options.trace);
  if (in_loop()) {
    auto stream = mesh_.open_stream(std::move(target), std::move(payload), std::move(options));
    if (!stream) co_return stream.error();
    co_return Stream(*this, std::move(*stream));
  }
  UniqueFunction<Task<Result<Stream>>()> work = [this, target = std::move(target), payload = std::move(payload),
                                                 options = std::move(options)]() mutable {
    return open_stream_payload(std::move(target), std::move(payload), std::move(options));
  };
  co_return co_await on_loop<Stream>(std::move(work));
}

/// What is done without a trace of its own belongs to that of the work that does it.
void Hosted::join_trace(TraceContext& trace) {
  if (const TraceContext* current = current_trace(); current && !trace.has_trace()) trace = *current;
}

/// To the agent's actor: its handler, and all that this waits for and sends, belongs to `trace`.
template <class Message>
Result<void> Hosted::send_traced(Message message, const TraceContext& trace) {
  const TraceScope scope(trace);
  return actors_.send(handlers_, std::move(message));
}

Task<Result<Payload>> Hosted::handle(const Call& call, bool waits, Work work) {
  Completion<Answer::Outcome> completion;
  Answer answer(loop(), actors_.scheduler().workers() > 0, completion.completer());
  Job job{[this, &call, waits, work = std::move(work), answer = std::move(answer)]() mutable -> Task<void> {
    Answer::Outcome outcome;
    if (waits && (call.cancelled() || call.remaining(loop().now()) == Duration::zero())) {
      expired_.add();
      outcome.emplace<0>(Error(codes::deadline_exceeded, "nobody waits for this call any longer: it was not handled"));
    } else {
      try {
        outcome.emplace<0>(co_await work());
      } catch (...) {
        outcome.emplace<1>(std::current_exception());
      }
    }
    answer.give(std::move(outcome));
  }};
  if (auto sent = send_traced(std::move(job), call.trace()); !sent) {
    co_return Error(codes::queue_full, "agent '" + name() + "' is behind with its work: " + sent.error().message,
                    "call again later");
  }
  auto outcome = co_await completion;
  if (outcome.index() == 1) std::rethrow_exception(std::get<1>(outcome));
  co_return std::move(std::get<0>(outcome));
}

Result<void> Hosted::publish_payload(std::string_view topic, Payload payload, const PublishOptions& from) {
  PublishOptions options = from;
  join_trace(options.trace);
  if (in_loop()) return mesh_.publish(topic, std::move(payload), options);
  if (auto fine = check_topic(topic); !fine) return fine;
  loop().post([this, topic = std::string(topic), payload = std::move(payload), options]() mutable {
    if (auto sent = mesh_.publish(topic, std::move(payload), options); !sent)
      log().error("an event was not published", sent.error(), {{"topic", topic}});
  });
  return {};
}

Task<Result<Payload>> Hosted::call_payload(std::string target, Payload payload, CallOptions options) {
  if (!options.within) join_trace(options.trace);
  if (in_loop()) {
    detail::KeepTrace<Result<Payload>> reply(mesh_.call(std::move(target), std::move(payload), std::move(options)));
    co_return co_await reply;
  }
  UniqueFunction<Task<Result<Payload>>()> work = [this, target = std::move(target), payload = std::move(payload),
                                                  options = std::move(options)]() mutable {
    return mesh_.call(std::move(target), std::move(payload), std::move(options));
  };
  co_return co_await on_loop<Payload>(std::move(work));
}

void Hosted::keep_subscription(std::string_view pattern, events::EventHandler handler, SubscribeOptions options) {
  auto held = std::make_shared<events::EventHandler>(std::move(handler));
  auto subscription = mesh_.subscribe(
      pattern, [this, held](const Event& event) { hand_over(*held, event); }, std::move(options));
  if (!subscription) throw std::logic_error(subscription.error().message);
  subscriptions_.push_back(std::move(*subscription));
}

void Hosted::hand_over(events::EventHandler& handler, const Event& event) {
  auto own = std::make_unique<OwnedEvent>(event);
  own->span = events::ConsumerSpan::of(event, loop(), &program_.tracer());
  if (own->span) own->trace = own->span->trace();
  const TraceContext trace = own->trace;
  Errand errand{[this, &handler, owned = std::move(own)] {
    const Event given = owned->view();
    if (given.expires != TimePoint::max() && loop().now() >= given.expires)
      return dropped(given, events::Drop::expired);
    if (owned->span) owned->span->begin_handler();
    bool failing = true;
    try {
      handler(given);
      failing = false;
    } catch (...) {
      event_failures_.add();
      failed("the handler of " + owned->topic, std::current_exception());
    }
    if (owned->span) owned->span->end(failing);
  }};
  auto sent = send_traced(std::move(errand), trace);
  if (sent || event.last_value) return;
  const bool full = sent.error().is(codes::mailbox_full) || sent.error().is(codes::message_dropped);
  mesh_.peer().dropped(event, full ? events::Drop::mailbox : events::Drop::unroutable);
}

/// From any thread, for an event that was handed over.
void Hosted::dropped(const Event& event, events::Drop reason) {
  if (event.last_value) return;  // in no account: it was sent before the subscription
  auto tell = [this, topic = std::string(event.topic), sender = event.sender, sequence = event.sequence, reason] {
    mesh_.peer().dropped(sender, topic, sequence, reason);
  };
  if (in_loop()) return tell();
  loop().post(std::move(tell));
}

void Hosted::spawn_on_loop(Task<void> task) {
  {
    const std::lock_guard lock(from_actors_mutex_);
    from_actors_.push_back(std::move(task));
  }
  loop().post([this] { start_from_actors(); });
}

void Hosted::start_from_actors() {
  std::vector<Task<void>> tasks;
  {
    const std::lock_guard lock(from_actors_mutex_);
    tasks.swap(from_actors_);
  }
  for (auto& task : tasks) {
    loop_tasks_.spawn(std::move(task), [this](std::exception_ptr failure) {
      if (failure) failed("work on the loop", failure);
    });
  }
}

void Hosted::failed(const std::string& what, const std::exception_ptr& failure) {
  const ThrownFacts thrown = what_of_with_stack(failure);
  log().error("an exception escaped", {{"from", what}, {"exception", thrown.type}, {"what", thrown.text}});
  ErrorEvent event;
  event.category = "handler";
  event.code = codes::handler_failed.id;
  event.message = "{from} threw: {what}";
  event.exception = thrown.type;
  event.stack = thrown.stack;
  event.values = {{"from", what}, {"what", thrown.text}};
  report(std::move(event));
}

const Value& Hosted::settings_value() const {
  static const Value kEmpty = Value::Map();
  const Value& section = program_.config().at("agent");
  return section.is_null() ? kEmpty : section;
}

void Hosted::refuse_settings(const Error& error) {
  std::fprintf(stderr, "%s: the configuration does not fit this program: %s\n", name().c_str(), error.message.c_str());
  std::exit(program::exit_code::config);
}

void Hosted::undecodable(const Event& event, const Error& error) {
  dropped(event, events::Drop::undecodable);
  log().warn("an event cannot be read", {{"topic", event.topic}, {"error", error.message}});
}

void Hosted::serve_tree() {
  peer::serve<TreeRequest>(
      mesh_, {"_tree", "the live supervision tree of its actors, for weft tree"},
      [this](const TreeRequest& request) {
        TreeReply reply = tree_of(actors_, request.limit);
        reply.agent = name();
        reply.host = host();
        const unsigned workers = actors_.scheduler().workers();
        reply.scheduler = workers == 0 ? "loop" : std::to_string(workers) + " workers";
        return Result<TreeReply>(std::move(reply));
      },
      Unknown::refuse);
}

Task<void> Hosted::drain(Duration budget) {
  const TimePoint end = loop().now() + budget;
  co_await queues_.drain(budget / 2);
  co_await mesh_.drain((end - loop().now()) * 3 / 4);
  Completion<bool> stopped;
  auto completer = std::make_shared<Completion<bool>::Completer>(stopped.completer());
  actors_.shutdown_async(loop(), std::max<Duration>(end - loop().now(), 100ms),
                         [this, completer](actor::ShutdownReport report) {
                           tell_stuck(report);
                           completer->complete(report.stuck.empty());
                         });
  co_await stopped;
  mesh_.peer().flush();
}

bool Hosted::stop_actors() {
  const auto report = actors_.shutdown(100ms);
  tell_stuck(report);
  return report.stuck.empty();
}

void Hosted::tell_stuck(const actor::ShutdownReport& report) {
  for (const auto& stuck : report.stuck) {
    log().error("an actor does not stop: its handler does not return",
                {{"actor", stuck.name.empty() ? std::to_string(stuck.address.id()) : stuck.name},
                 {"type", std::string(stuck.type)}});
  }
}

}  // namespace weft
