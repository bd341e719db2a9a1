#include "weft/mesh/gather.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {

/// What the coroutines of one gathering share. Lives in the frame of gather(), as they do.
struct Gathering {
  Gathering(Loop& l, Gathered& r, const GatherOptions& o) : loop(l), result(r), options(o), stall(l) {
    for (auto& answer : result.answers)
      answer.outcome = Error(codes::call_cancelled, "had not answered when the gathering ended");
  }
  /// In a later turn: what waits destroys those that call this.
  void end() {
    if (ended) return;
    ended = true;
    loop.post([done = std::move(done)]() mutable { done.complete(true); });
  }
  void restart_stall() {
    if (options.stall > Duration::zero()) stall.start(options.stall, [this] { end(); });
  }
  void ended_one(bool answered) {
    --left;
    enough += answered;
    if (left == 0 || (options.count > 0 && enough >= options.count)) return end();
    restart_stall();
  }

  Loop& loop;
  Gathered& result;
  const GatherOptions& options;
  Timer stall;
  Completion<bool>::Completer done;
  std::size_t left = 0, enough = 0;
  bool ended = false;
};

Task<void> one(Gathering& all, Gathered::Answer& answer, Task<Result<Payload>> ask) {
  const TimePoint begin = all.loop.now();
  Result<Payload> outcome = co_await ask;
  answer.took = all.loop.now() - begin;
  if (all.ended) co_return;  // of the same turn, but too late
  answer.outcome = std::move(outcome);
  all.ended_one(answer.outcome.has_value());
}

}  // namespace

std::size_t Gathered::answered() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(answers.begin(), answers.end(), [](const auto& answer) { return answer.outcome.has_value(); }));
}

std::vector<const Gathered::Answer*> Gathered::missing() const {
  std::vector<const Answer*> out;
  for (const auto& answer : answers)
    if (!answer.outcome) out.push_back(&answer);
  return out;
}

std::string Gathered::summary() const {
  std::string text = std::to_string(answered()) + " of " + std::to_string(answers.size());
  const char* before = ", missing: ";
  for (const auto* answer : missing()) {
    const Error& error = answer->outcome.error();
    text += before + (answer->slot.empty() ? answer->instance : answer->slot + " (" + answer->instance + ")") + ": " +
            (error.name.empty() ? error.code : error.name);
    before = ", ";
  }
  return text;
}

Task<Gathered> gather(Loop& loop, std::vector<Gathered::Answer> wanted, GatherOptions options,
                      std::function<Task<Result<Payload>>(const std::string& instance)> ask) {
  Gathered result;
  result.answers = std::move(wanted);
  if (result.answers.empty()) co_return result;
  Completion<bool> done;
  Gathering all(loop, result, options);
  all.done = done.completer();
  all.left = result.answers.size();
  all.restart_stall();
  TaskScope scope;
  for (auto& answer : result.answers) scope.spawn(one(all, answer, ask(answer.instance)));
  (void)co_await done;
  scope.cancel_all();
  co_return result;
}

}  // namespace weft::mesh
