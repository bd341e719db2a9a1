// weft dlq: dead letters of every producer of the mesh.
#include "cli/issue_text.hpp"
#include "cli/queues.hpp"
#include "cli/target.hpp"
#include "errorbus/errorbus.hpp"

namespace weft::cli {

namespace {

struct DlqArguments {
  std::vector<std::string> ids;
  std::string id, queue, payload = "-";
  std::uint64_t limit = 100;
  Duration older{};
  bool raw = false, all = false, yes = false;
};

/// A letter and the process that keeps it.
struct Found {
  wire::InstanceRecord keeper;
  queue::DeadLetter letter;
};

Value document(const Found& found) {
  Value entry = to_value(found.letter);
  entry.set("agent", found.keeper.agent);
  entry.set("host", found.keeper.host);
  return entry;
}

/// Newest first.
Task<int> gather(Session& session, std::string queue, std::uint64_t limit, std::vector<Found>& all) {
  int code = kDone;
  queue::DeadLettersRequest request;
  request.queue = std::move(queue);
  request.limit = limit;
  for (const auto& record : keepers(session)) {
    wire::Payload question = wire::Payload::of(request);
    const auto answer = co_await ask_keeper(session, record, "_dlq_list", std::move(question));
    auto reply = read_as<queue::DeadLettersReply>(answer);
    if (!reply) {
      code = complain(session.global(), reply.error());
      continue;
    }
    for (auto& letter : reply->letters) all.push_back({record, std::move(letter)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.letter.died_us > b.letter.died_us; });
  if (all.size() > limit) all.resize(limit);
  co_return code;
}

Task<int> list(Session& session, const DlqArguments& arguments) {
  std::vector<Found> all;
  const int code = co_await gather(session, arguments.queue, arguments.limit, all);
  if (session.global().json) {
    Value out = Value::List();
    for (const auto& found : all) out.as_list().push_back(document(found));
    print_json(out);
    co_return code;
  }
  Table table({"ID", "QUEUE", "PRODUCER", "DIED", "ATTEMPTS", "BYTES", "REASON"});
  for (const auto& [keeper, letter] : all) {
    table.add({letter.id.to_string(), letter.queue, keeper.agent + "@" + keeper.host, clock_time(letter.died_us),
               std::to_string(letter.attempts.size()), std::to_string(letter.bytes),
               letter.code + " " + printable(letter.reason)});
  }
  table.print();
  co_return code;
}

Error unknown(const std::string& id) {
  return Error(codes::bad_value, "no producer has a dead letter '" + id + "'", "'weft dlq list' shows them");
}

/// The issue on the error bus that the letter's report belongs to; empty: the bus does not have it (any more).
Task<std::string> issue_of(Session& session, const Found& found) {
  errorbus::EventsRequest request;
  request.since_us = found.letter.died_us - 1'000'000;
  request.until_us = found.letter.died_us + 60'000'000;
  request.agent = found.keeper.agent;
  request.code = std::string(codes::dead_lettered.id);
  request.limit = 1000;
  calls::CallOptions options(session.global().timeout);
  options.host = found.keeper.host;
  const std::string target = "errorbus.events";
  wire::Payload payload = wire::Payload::of(request);
  auto answer = co_await session.mesh().call(target, std::move(payload), options);
  auto reply = answer ? answer->as<errorbus::EventsReply>() : Result<errorbus::EventsReply>(answer.error());
  std::string issue;
  if (reply) {
    for (const auto& stored : reply->events) {
      if (stored.event.id == found.letter.event) issue = stored.issue;
    }
  }
  co_return issue;
}

void print_letter(const Found& found, const wire::Payload& payload, const std::string& issue) {
  const queue::DeadLetter& letter = found.letter;
  print_line(letter.id.to_string() + "  of " + letter.queue + "  at " + found.keeper.agent + "@" + found.keeper.host);
  Table facts({"WHAT", "VALUE"});
  facts.add({"reason", letter.code + " " + printable(letter.reason)});
  facts.add({"pushed", clock_time(letter.pushed_us)});
  facts.add({"died", clock_time(letter.died_us)});
  facts.add({"priority", std::string(to_string(letter.priority))});
  if (!letter.key.empty()) facts.add({"key", printable(letter.key)});
  for (const auto& [name, value] : letter.headers) facts.add({"header " + printable(name), printable(value)});
  facts.add({"issue", issue.empty() ? "not on the error bus" : issue + "  (weft errors show " + issue + ")"});
  facts.print();
  Table attempts({"ATTEMPT", "BEGAN", "TOOK", "WORKER", "HOST", "WHY IT FAILED"});
  for (const auto& attempt : letter.attempts) {
    attempts.add({std::to_string(attempt.number), clock_time(attempt.begin_us),
                  to_text(std::chrono::milliseconds((attempt.end_us - attempt.begin_us) / 1000)), attempt.instance,
                  attempt.host, attempt.code + " " + printable(attempt.text)});
  }
  attempts.print();
  print_line(shown_text(payload));
}

Task<int> show(Session& session, std::string id) {
  queue::DeadLetterRequest request;
  request.id = id;
  for (const auto& record : keepers(session)) {
    wire::Payload question = wire::Payload::of(request);
    const auto answer = co_await ask_keeper(session, record, "_dlq_show", std::move(question));
    auto reply = read_as<queue::DeadLetterReply>(answer);
    if (!reply) continue;  // another process has it
    Found found{record, std::move(reply->letter)};
    const wire::Payload payload(static_cast<wire::Encoding>(reply->encoding), std::move(reply->payload));
    const std::string issue = co_await issue_of(session, found);
    if (session.global().json) {
      Value out = document(found);
      out.set("payload", shown(payload));
      out.set("issue", issue);
      print_json(out);
    } else {
      print_letter(found, payload, issue);
    }
    co_return kDone;
  }
  co_return fail(session.global(), unknown(id));
}

void print_count(const Global& global, const char* key, std::uint64_t count, const char* text) {
  if (!global.json) return print_line(std::to_string(count) + " " + text);
  Value out;
  out.set(key, count);
  print_json(out);
}

/// Each process replays the ids that it has.
Task<int> replay(Session& session, queue::ReplayRequest request) {
  std::vector<std::string> left = request.ids;
  std::uint64_t replayed = 0;
  int code = kDone;
  for (const auto& record : keepers(session)) {
    if (left.empty()) break;
    request.ids = left;
    wire::Payload question = wire::Payload::of(request);
    const auto answer = co_await ask_keeper(session, record, "_dlq_replay", std::move(question));
    auto reply = read_as<queue::ReplayReply>(answer);
    if (!reply) {
      code = complain(session.global(), reply.error());
      continue;
    }
    replayed += reply->replayed;
    left = std::move(reply->unknown);
  }
  for (const auto& id : left) code = complain(session.global(), unknown(id));
  print_count(session.global(), "replayed", replayed,
              replayed == 1 ? "item is in the queue again" : "items are in the queue again");
  co_return code;
}

Task<int> replay_chosen(Session& session, const DlqArguments& arguments) {
  queue::ReplayRequest request;
  request.ids = arguments.ids;
  if (arguments.all) {
    std::vector<Found> all;
    const int code = co_await gather(session, arguments.queue, 1'000'000, all);
    if (code != kDone) co_return code;
    std::reverse(all.begin(), all.end());  // in the order in which they died
    for (const auto& found : all) request.ids.push_back(found.letter.id.to_string());
  }
  co_return co_await replay(session, std::move(request));
}

Task<int> purge(Session& session, const DlqArguments& arguments) {
  queue::PurgeRequest request;
  request.queue = arguments.queue;
  request.ids = arguments.ids;
  request.older_us = std::chrono::duration_cast<std::chrono::microseconds>(arguments.older).count();
  std::uint64_t purged = 0;
  int code = kDone;
  for (const auto& record : keepers(session)) {
    wire::Payload question = wire::Payload::of(request);
    const auto answer = co_await ask_keeper(session, record, "_dlq_purge", std::move(question));
    auto reply = read_as<queue::PurgeReply>(answer);
    if (!reply) {
      code = complain(session.global(), reply.error());
    } else {
      purged += reply->purged;
    }
  }
  print_count(session.global(), "purged", purged, purged == 1 ? "dead letter is gone" : "dead letters are gone");
  co_return code;
}

int run_edit(const Global& global, const DlqArguments& arguments) {
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  queue::ReplayRequest request;
  request.ids = {arguments.id};
  request.encoding = static_cast<std::uint8_t>(payload->encoding);
  request.payload = payload->bytes;
  return run_in_mesh(global, [request](Session& session) { return replay(session, request); });
}

int run_replay(const Global& global, const DlqArguments& arguments) {
  if (arguments.ids.empty() != arguments.all)
    return fail(global, Error(codes::bad_usage, "name the letters, or say --all (of --queue QUEUE)"));
  return run_in_mesh(global, [&arguments](Session& session) { return replay_chosen(session, arguments); });
}

int run_purge(const Global& global, const DlqArguments& arguments) {
  if (!arguments.yes)
    return fail(global,
                Error(codes::bad_usage, "what is purged is gone for good: say --yes", "weft dlq list shows them"));
  return run_in_mesh(global, [&arguments](Session& session) { return purge(session, arguments); });
}

}  // namespace

std::vector<Verb> dlq_verbs() {
  auto arguments = std::make_shared<DlqArguments>();
  const Option queue = text("--queue", arguments->queue, "AGENT.METHOD", "Only of this queue");
  const Option id = text("id", arguments->id, "ID", "Id of the item").required();
  return {
      {.name = "dlq",
       .summary = "Look at dead letters: items of work queues that were given up",
       .verbs = {
           {.name = "list",
            .summary = "List dead letters, newest first",
            .examples = {"weft dlq list", "weft dlq list --queue resizer.resize --json"},
            .options = {queue, number("--limit", arguments->limit, {1, 1'000'000}, "At most so many")},
            .run =
                [arguments](const Global& global) {
                  return run_in_mesh(global, [&](Session& session) { return list(session, *arguments); });
                }},
           {.name = "show",
            .summary = "Show one: payload, headers, every attempt, its issue on the error bus",
            .examples = {"weft dlq show 01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            .options = {id},
            .run =
                [arguments](const Global& global) {
                  return run_in_mesh(global, [&](Session& session) { return show(session, arguments->id); });
                }},
           {.name = "replay",
            .summary = "Put dead letters into their queues again",
            .examples = {"weft dlq replay 01ARZ3NDEKTSV4RRFFQ69G5FAV", "weft dlq replay --all --queue resizer.resize"},
            .options = {texts("id", arguments->ids, "ID", "Ids of items"),
                        flag("--all", arguments->all, "All, oldest first"), queue},
            .run = [arguments](const Global& global) { return run_replay(global, *arguments); }},
           {.name = "edit",
            .summary = "Put a dead letter into its queue again, at once, with another payload",
            .examples = {R"(weft dlq edit 01ARZ3NDEKTSV4RRFFQ69G5FAV --payload '{"width": 100}')",
                         "weft dlq edit 01ARZ3NDEKTSV4RRFFQ69G5FAV < mended.json"},
            .options = {id,
                        text("--payload", arguments->payload, "PAYLOAD", "JSON; '-', and nothing, read it from stdin"),
                        flag("--raw", arguments->raw, "The payload's bytes as they are")},
            .run = [arguments](const Global& global) { return run_edit(global, *arguments); }},
           {.name = "purge",
            .summary = "Forget dead letters",
            .examples = {"weft dlq purge --queue resizer.resize --older 7d --yes",
                         "weft dlq purge 01ARZ3NDEKTSV4RRFFQ69G5FAV --yes"},
            .options = {texts("id", arguments->ids, "ID", "Ids of items; all when left out"), queue,
                        duration("--older", arguments->older, "Only those that died longer ago"),
                        flag("--yes", arguments->yes, "They are gone for good")},
            .run = [arguments](const Global& global) { return run_purge(global, *arguments); }}}}};
}

}  // namespace weft::cli
