#include "cli/why_message.hpp"

#include <fmt/format.h>

#include "cli/message_story.hpp"
#include "cli/span_survey.hpp"
#include "cli/survey.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::cli {

namespace {

/// "agent@host" of each instance, by what it is called in the ids of its messages.
std::map<std::string, std::string> senders_of(Session& session) {
  std::map<std::string, std::string> out;
  for (const auto* record : session.mesh().directory().all())
    out[fmt::format("{:016x}", record->instance.short_id())] = record->agent + "@" + record->host;
  return out;
}

/// 32 hex digits: a trace; else a message. Errors: `bad_usage`.
Result<peer::SpansRequest> request_for(const std::string& id) {
  peer::SpansRequest request;
  if (observe::trace_id_from(id)) {
    request.trace_id = id;
    return request;
  }
  const auto message = observe::message_id_from(id);
  if (!message) {
    return Error(codes::bad_usage, "'" + id + "' is the id of no message and of no trace",
                 "wanted such as 9f86d081884c7d65-4294967297, or the 32 hex digits of a trace");
  }
  request.message_id = message->id;
  if (message->sender != 0) request.sender = fmt::format("{:016x}", message->sender);
  return request;
}

/// What is under way leaves a header only at its end: those who handle it are asked.
Task<void> add_running(Session& session, std::string sender, std::uint64_t id, std::vector<Story>& stories) {
  auto everybody = find_instances(session.mesh().directory(), Who());
  const auto answers = co_await survey(session, std::move(*everybody), "_waits");
  const auto senders = senders_of(session);
  for (const auto& one : answers) {
    const auto waits = read_as<wire::WaitsReply>(one.answer);
    if (!waits) continue;
    for (const auto& call : waits->handled) {
      if (call.id != id || (!sender.empty() && call.sender != sender)) continue;
      Story story;
      story.message = call.sender + "-" + std::to_string(id);
      story.name = call.method;
      const auto from = senders.find(call.sender);
      story.steps.push_back({"sent", 0, from == senders.end() ? "" : from->second, "waits for its answer"});
      const auto left =
          call.left_us < 0 ? "without a limit" : shown_time(std::chrono::microseconds(call.left_us)) + " are left";
      story.steps.push_back(
          {"received", to_us(session.loop().clock().wall()) - call.age_us, one.record.agent + "@" + one.record.host,
           "is being handled since " + shown_time(std::chrono::microseconds(call.age_us)) + ", " + left});
      stories.push_back(std::move(story));
    }
  }
}

std::string time_of(const StoryStep& step) {
  return step.time_us == 0 ? "-" : to_rfc3339(WallTime(std::chrono::microseconds(step.time_us)));
}

void print_story(const Story& story) {
  std::string head = printable(story.name);
  if (!story.message.empty()) head += "  message " + printable(story.message);
  if (!story.trace_id.empty()) head += "  trace " + printable(story.trace_id);
  print_line(head);
  Table table({"STEP", "AT", "WHERE", "WHAT"});
  for (const auto& step : story.steps)
    table.add({step.step, time_of(step), step.where.empty() ? "-" : printable(step.where), printable(step.what)});
  table.print();
}

Value document(const std::vector<Story>& stories, const Collected& found) {
  Value::List messages, silent;
  for (const auto& story : stories) {
    Value::List steps;
    for (const auto& step : story.steps) {
      Value one;
      one.set("step", step.step);
      if (step.time_us != 0) one.set("at", time_of(step));
      one.set("where", step.where);
      one.set("what", step.what);
      steps.push_back(std::move(one));
    }
    Value one;
    one.set("message", story.message);
    one.set("name", story.name);
    one.set("trace_id", story.trace_id);
    one.set("failed", story.failed);
    one.set("steps", std::move(steps));
    messages.push_back(std::move(one));
  }
  for (const auto& process : found.silent) silent.emplace_back(process);
  Value out;
  out.set("messages", std::move(messages));
  out.set("silent", std::move(silent));
  return out;
}

Error unknown(const std::string& id) {
  Error error(codes::message_unknown, "no process knows '" + id + "' any more: each keeps its last " +
                                          std::to_string(observe::Tracer::kSpansMax) + " headers, and the last " +
                                          std::to_string(observe::Tracer::kFailuresMax) +
                                          " of what failed or was dropped");
  error.hint = "an event leaves one where its trace is sampled, or where it was dropped; weft ledger counts them all";
  return error;
}

Task<int> why_message(Session& session, std::string id, peer::SpansRequest request) {
  const Collected found = co_await ask_spans(session, request);
  auto stories = stories_of(found.spans, senders_of(session));
  if (stories.empty() && request.trace_id.empty())
    co_await add_running(session, request.sender, request.message_id, stories);
  if (!session.global().json) tell_gaps(session.global(), found);
  if (stories.empty()) co_return fail(session.global(), unknown(id));
  if (session.global().json) {
    print_json(document(stories, found));
    co_return kDone;
  }
  for (std::size_t i = 0; i < stories.size(); ++i) {
    if (i > 0) print_line("");
    print_story(stories[i]);
  }
  co_return kDone;
}

int run_message(const Global& global, const std::string& id) {
  auto request = request_for(id);
  if (!request) return fail(global, request.error());
  return run_in_mesh(global, [&](Session& session) { return why_message(session, id, *request); });
}

}  // namespace

Verb why_message_verb() {
  auto id = std::make_shared<std::string>();
  return {.name = "message",
          .summary = "What became of a message, or of all messages of a trace, after the fact",
          .examples = {"weft why message 9f86d081884c7d65-4294967297",
                       "weft why message 4bf92f3577b34da6a3ce929d0e0e4736 --json"},
          .options =
              {text("id", *id, "ID", "Of the message, or of its trace, as errors, logs and spans have it").required()},
          .run = [id](const Global& global) { return run_message(global, *id); }};
}

}  // namespace weft::cli
