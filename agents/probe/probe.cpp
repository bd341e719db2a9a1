// Probe's actors, and what it serves.
#include "agents/probe/probe.hpp"

#include <algorithm>
#include <stdexcept>

#include "agents/probe/target_actor.hpp"
#include "agents/probe/telling.hpp"
#include "weft/base/request.hpp"

namespace weft::probe {

namespace {
struct CheckRequest {
  std::string target;
  WEFT_FIELDS(CheckRequest, target)
};
constexpr Duration kPatience = 1min;  // of who asks and names no time

template <class T>
T started(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::string actor_of(const std::string& target) { return "target/" + target; }

/// Owns what it uses: it may run on when the actor that wanted it has gone.
Task<Result<void>> check_on_loop(io::IoLoop& loop, std::shared_ptr<const Target> target) {
  if (target->url.empty()) co_return co_await io::tcp_probe(loop, target->host, target->port, target->timeout);
  io::HttpClientOptions options;
  options.timeout = target->timeout;
  auto answer = co_await io::http_get(loop, target->url, options);
  if (!answer) co_return answer.error();
  co_return judge(*target, answer->status, answer->body);
}
}  // namespace

Probe::Probe(Settings settings, Agent& agent) : settings_(std::move(settings)), agent_(agent) {
  Defaults defaults{settings_.period, settings_.timeout, settings_.rise, settings_.fall, settings_.severity};
  defaults.host_address = agent_.mesh().peer().options().address;
  auto targets = targets_of(settings_.targets, defaults);
  if (!targets) agent_.refuse_settings(targets.error());
  settings_.targets = {};
  targets_ = std::make_shared<const std::vector<Target>>(std::move(*targets));
  agent_.publishes("probe." + agent_.host() + ".*");
  start_actors();
  serve();
}

void Probe::start_actors() {
  actor::ChildOptions board;
  board.name = "board";
  board.mailbox.capacity = 0;  // each target waits for the answer to its one message
  auto telling = std::make_shared<Telling>(agent_, targets_, settings_.publish == "each");
  Board::Tell tell = [telling](std::uint32_t target, const Finding& finding, const std::optional<Change>& change) {
    (*telling)(target, finding, change);
  };
  board_ = started(agent_.actors().start<Board>({}, board, targets_, agent_.host(), std::move(tell)));
  actor::ChildOptions gate;
  gate.name = "gate";
  gate.mailbox.capacity = 0;  // see Gate
  start_targets(started(agent_.actors().start<Gate>({}, gate, static_cast<std::size_t>(settings_.concurrent))));
}

void Probe::start_targets(actor::Ref<Gate> gate) {
  Plan::Check check = [&agent = agent_](std::shared_ptr<const Target> target) {
    std::function<Task<Result<void>>()> work = [&loop = agent.loop(), target = std::move(target)] {
      return check_on_loop(loop, target);
    };
    return agent.on_loop<void>(std::move(work));
  };
  auto plan = std::make_shared<const Plan>(Plan{targets_, std::move(check), gate, board_, Random::from_os().next()});
  actor::ChildOptions options;
  options.name = "targets";
  actor::SupervisorOptions supervision;
  supervision.total_limit.restarts = 0;  // one target that fails again and again is given up, not all of them
  const auto supervisor = started(agent_.actors().start(actor::supervisor(options, supervision, {})));
  for (std::uint32_t i = 0; i < targets_->size(); ++i) {
    actor::ChildOptions child;
    child.name = actor_of((*targets_)[i].name);
    started(agent_.actors().start<TargetActor>(supervisor, std::move(child), plan, i));
  }
}

void Probe::serve() {
  agent_.serve(
      "targets",
      [this](Value, Call&) -> Task<Result<std::vector<TargetStatus>>> {
        return agent_.ask(board_, Board::List(), kPatience);
      },
      "every target: state, latency, since when, last error");
  agent_.serve(
      "check",
      [this](Value request, Call& call) -> Task<Result<Finding>> {
        auto wanted = request_of<CheckRequest>(request);
        if (!wanted) co_return wanted.error();
        const Duration left = call.has_deadline() ? call.deadline() - agent_.loop().now() : kPatience;
        co_return co_await check_now(std::move(wanted->target), std::max<Duration>(left, 1ms));
      },
      "{target}: checks it now");
}

Task<Result<Finding>> Probe::check_now(std::string name, Duration patience) {
  const auto named = [&](const Target& target) { return target.name == name; };
  if (std::none_of(targets_->begin(), targets_->end(), named)) {
    std::vector<std::string_view> known;
    for (const Target& target : *targets_) known.push_back(target.name);
    co_return Error(ErrorKind::not_found, "UNKNOWN_TARGET", "no target '" + name + "'" + did_you_mean(name, known));
  }
  const auto target = agent_.actors().find<TargetActor>(actor_of(name));
  if (!target) {
    co_return Error(codes::gave_up, "target '" + name + "' has failed too often and is not checked any more",
                    "restart the agent");
  }
  if (asked_ >= settings_.concurrent) co_return Error(codes::queue_full, "probe: too many checks are under way");
  ++asked_;
  auto finding = co_await agent_.ask(target, TargetActor::CheckNow(), patience);
  --asked_;
  co_return finding;
}

}  // namespace weft::probe
