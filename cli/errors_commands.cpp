// weft errors: what the error buses know. Asks the hub, which has the events of every host, unless --host names
// another.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/issue_text.hpp"
#include "cli/session.hpp"

namespace weft::cli {

namespace {

struct Filter {
  std::string host;  ///< whose bus to ask; empty: the hub
  std::string state, severity = "info", agent, code, from;
  Duration since{};
  std::uint64_t limit = 50;
  bool events = false;
};

struct Action {
  std::string method, id, who, why, version, host;
  Duration until{};
};

/// To the bus at `endpoint`, or where that is empty to one on `host`, or to any.
Task<Result<wire::Payload>> send(Session& session, std::string endpoint, std::string host, std::string method,
                                 wire::Payload payload) {
  calls::CallOptions options(session.global().timeout);
  options.host = std::move(host);
  if (endpoint.empty()) {
    auto answer = co_await session.mesh().call(std::move(method), std::move(payload), options);
    co_return answer;
  }
  auto answer =
      co_await session.mesh().peer().call_at(std::move(endpoint), std::move(method), std::move(payload), options);
  co_return answer;
}

/// A bus, by its endpoint or by its host; any one when both are empty.
struct Bus {
  std::string endpoint, host;
};

/// The hub's; any one when no bus could say which that is.
Task<Bus> hub_of(Session& session) {
  std::string any, method = "errorbus.stats";
  wire::Payload nothing = wire::Payload::of(Value());
  auto answer = co_await send(session, any, any, method, nothing);
  auto stats = answer ? answer->as<errorbus::Stats>() : Result<errorbus::Stats>(answer.error());
  Bus hub;
  if (stats && stats->hub.empty()) hub.host = stats->host;  // it is the hub itself: the next call must not go elsewhere
  if (stats) hub.endpoint = stats->hub;
  co_return hub;
}

/// One request to the bus that `host` names, or to the hub.
Task<Result<wire::Payload>> ask_bus(Session& session, const std::string& host, std::string method,
                                    wire::Payload request) {
  Bus bus{{}, host};
  if (host.empty()) bus = co_await hub_of(session);
  auto answer = co_await send(session, bus.endpoint, bus.host, method, std::move(request));
  if (answer) co_return answer;
  Error error = answer.error();
  if (!bus.endpoint.empty() && error.hint.empty()) {
    error.hint = "the hub at " + bus.endpoint + " was asked; --host HOST asks the bus of one host";
  }
  co_return error;
}

// ---- list

Task<int> list_events(Session& session, const Filter& filter) {
  errorbus::EventsRequest request;
  request.host = filter.from;
  request.agent = filter.agent;
  request.code = filter.code;
  request.limit = filter.limit;
  auto severity = from_text(filter.severity, std::type_identity<Severity>{});
  if (!severity) co_return fail(session.global(), severity.error());
  request.severity = *severity;
  if (filter.since > Duration::zero()) request.since_us = to_us(session.loop().clock().wall()) - filter.since / 1us;
  wire::Payload question = wire::Payload::of(request);
  std::string target = "errorbus.events";
  const auto answer = co_await ask_bus(session, filter.host, std::move(target), std::move(question));
  auto reply = read_as<errorbus::EventsReply>(answer);
  if (!reply) co_return fail(session.global(), reply.error());
  if (session.global().json) {
    print_json(to_value(reply->events));
  } else {
    print_events(reply->events);
  }
  co_return kDone;
}

/// The bus filters by state alone.
bool wanted(const errorbus::Issue& issue, const Filter& filter, Severity least, std::int64_t since_us) {
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return one.empty() || std::find(all.begin(), all.end(), one) != all.end();
  };
  return has(issue.agents, filter.agent) && has(issue.hosts, filter.from) &&
         (filter.code.empty() || issue.code == filter.code) && issue.severity >= least &&
         issue.last_seen_us >= since_us;
}

Task<int> list_issues(Session& session, const Filter& filter) {
  auto severity = from_text(filter.severity, std::type_identity<Severity>{});
  if (!severity) co_return fail(session.global(), severity.error());
  errorbus::IssuesRequest request;
  request.state = filter.state;
  request.limit = 1000;
  wire::Payload question = wire::Payload::of(request);
  std::string target = "errorbus.issues";
  const auto answer = co_await ask_bus(session, filter.host, std::move(target), std::move(question));
  auto reply = read_as<errorbus::IssuesReply>(answer);
  if (!reply) co_return fail(session.global(), reply.error());
  const WallTime now = session.loop().clock().wall();
  const std::int64_t since = filter.since > Duration::zero() ? to_us(now) - filter.since / 1us : 0;
  std::erase_if(reply->issues, [&](const auto& issue) { return !wanted(issue, filter, *severity, since); });
  if (reply->issues.size() > filter.limit) reply->issues.resize(filter.limit);
  if (session.global().json) {
    print_json(to_value(reply->issues));
  } else if (reply->issues.empty()) {
    note(session.global(), "no such issues");
  } else {
    print_issues(reply->issues, now);
  }
  co_return kDone;
}

// ---- show and act

/// An id may be cut to what makes it unique, with or without "v2:".
Task<Result<std::string>> whole_id(Session& session, const std::string& host, std::string wanted) {
  errorbus::IssuesRequest request;
  request.limit = 1000;
  wire::Payload question = wire::Payload::of(request);
  std::string target = "errorbus.issues";
  const auto answer = co_await ask_bus(session, host, std::move(target), std::move(question));
  auto reply = read_as<errorbus::IssuesReply>(answer);
  if (!reply) co_return reply.error();
  std::vector<std::string> found;
  for (const auto& issue : reply->issues) {
    const auto bare = issue.id.substr(issue.id.find(':') + 1);
    if (issue.id.starts_with(wanted) || bare.starts_with(wanted)) found.push_back(issue.id);
  }
  if (found.size() > 1) co_return Error(codes::bad_value, "'" + wanted + "' begins several ids: " + joined(found, ","));
  co_return found.empty() ? wanted : found.front();
}

Task<int> show(Session& session, const std::string& host, const std::string& id) {
  auto whole = co_await whole_id(session, host, id);
  if (!whole) co_return fail(session.global(), whole.error());
  errorbus::IssueRequest request;
  request.id = *whole;
  wire::Payload question = wire::Payload::of(request);
  std::string target = "errorbus.issue";
  const auto answer = co_await ask_bus(session, host, std::move(target), std::move(question));
  auto reply = read_as<errorbus::IssueReply>(answer);
  if (!reply) co_return fail(session.global(), reply.error());
  if (session.global().json) {
    print_json(to_value(*reply));
  } else {
    print_issue(*reply);
  }
  co_return kDone;
}

Task<int> act(Session& session, const Action& action) {
  auto whole = co_await whole_id(session, action.host, action.id);
  if (!whole) co_return fail(session.global(), whole.error());
  errorbus::IssueAction request;
  request.id = *whole;
  request.who = action.who;
  request.why = action.why;
  request.version = action.version;
  if (action.until > Duration::zero()) request.until_us = to_us(session.loop().clock().wall()) + action.until / 1us;
  const std::string method = "errorbus." + action.method;
  wire::Payload question = wire::Payload::of(request);
  const auto answer = co_await ask_bus(session, action.host, method, std::move(question));
  auto reply = read_as<errorbus::Issue>(answer);
  if (!reply) co_return fail(session.global(), reply.error());
  if (session.global().json) print_json(to_value(*reply));
  note(session.global(), reply->id + " is " + std::string(to_string(reply->state)));
  co_return kDone;
}

// ---- tail

void print_live(const Session& session, const events::Event& event, Severity least) {
  auto error = event.payload.as<ErrorEvent>();
  if (!error) return note(session.global(), "an event that cannot be read: " + error.error().message);
  if (event.missed > 0)
    note(session.global(), "missed " + std::to_string(event.missed) + " on " + std::string(event.topic));
  if (error->severity < least) return;
  if (session.global().json) return print_json_line(to_value(*error));
  print_line(clock_time(error->time_us) + "\t" + std::string(to_string(error->severity)) + "\t" + error->agent + "@" +
             error->host + "\t" + printable(error->code) + "\t" + printable(error->text()));
}

int run_tail(const Global& global, const Filter& filter) {
  auto severity = from_text(filter.severity, std::type_identity<Severity>{});
  if (!severity) return fail(global, severity.error());
  auto context = find_mesh(global);
  if (!context) return fail(global, context.error());
  Session session(global, std::move(*context), Session::Role::onlooker);
  events::Subscription subscription;  // goes before the session
  return session.run([&](Session& open) -> Task<int> {
    const std::string pattern = "errors." + (filter.host.empty() ? "*" : filter.host) + ".*";
    auto subscribed =
        open.mesh().subscribe(pattern, [&](const events::Event& event) { print_live(open, event, *severity); });
    if (!subscribed) co_return fail(global, subscribed.error());
    subscription = std::move(*subscribed);
    open.interruptible();
    note(global, "errors as they come; Ctrl-C ends");
    co_return kKeepRunning;
  });
}

// ---- the verbs

std::string user_name() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : "uid " + std::to_string(::getuid());
}

int run_list(const Global& global, const Filter& filter) {
  return run_in_mesh(global, [&](Session& session) {
    return filter.events ? list_events(session, filter) : list_issues(session, filter);
  });
}

constexpr auto kBusOfHost = "Ask the bus of this host, not the hub";
constexpr auto kIssueId = "The issue, or what its id begins with";

Option severity_option(Filter& filter) {
  return choice("--severity", filter.severity, "info,warning,error,critical", "SEVERITY", "This or worse");
}
Option host_option(std::string& host) { return text("--host", host, "HOST", kBusOfHost); }

Verb list_verb() {
  auto filter = std::make_shared<Filter>();
  return {.name = "list",
          .summary = "List issues, last seen first; with --events single events",
          .examples = {"weft errors list", "weft errors list --state new --severity error",
                       "weft errors list --events --since 10m --agent digest"},
          .options = {severity_option(*filter), host_option(filter->host),
                      choice("--state", filter->state, "new,ongoing,regressed,acknowledged,archived,resolved", "STATE",
                             "new, ongoing, regressed, acknowledged, archived or resolved"),
                      text("--agent", filter->agent, "AGENT", "Of this agent"),
                      text("--from", filter->from, "HOST", "Seen on this host"),
                      text("--code", filter->code, "CODE", "With this code"),
                      duration("--since", filter->since, "Seen within this time"),
                      number("--count", filter->limit, {1, 1000}, "At most N"),
                      flag("--events", filter->events, "Events instead of issues")},
          .run = [filter](const Global& global) { return run_list(global, *filter); },
          .alias = "ls"};
}

Verb tail_verb() {
  auto filter = std::make_shared<Filter>();
  return {.name = "tail",
          .summary = "Print errors as they are reported, on all hosts",
          .examples = {"weft errors tail", "weft errors tail --severity error --json"},
          .options = {severity_option(*filter), host_option(filter->host)},
          .run = [filter](const Global& global) { return run_tail(global, *filter); }};
}

Verb show_verb() {
  auto id = std::make_shared<std::string>(), host = std::make_shared<std::string>();
  return {.name = "show",
          .summary = "Show an issue with its first and last event",
          .examples = {"weft errors show v2:0123456789abcdef", "weft errors show 0123 --json"},
          .options = {text("id", *id, "ID", kIssueId).required(), host_option(*host)},
          .run = [id, host](const Global& global) {
            return run_in_mesh(global, [&](Session& session) { return show(session, *host, *id); });
          }};
}

Verb action_verb(const char* method, std::string_view summary, std::vector<std::string_view> examples) {
  auto action = std::make_shared<Action>();
  action->method = method;
  action->who = user_name();
  std::vector<Option> options{text("id", action->id, "ID", kIssueId).required(),
                              text("--why", action->why, "TEXT", "A word for those who come later"),
                              text("--who", action->who, "NAME", "Who says so").with_default_shown(),
                              host_option(action->host)};
  if (action->method == "resolve") options.push_back(text("--in-version", action->version, "VERSION", "Fixed in it"));
  if (action->method == "ack" || action->method == "archive")
    options.push_back(duration("--until", action->until, "For this long"));
  return {.name = method,
          .summary = summary,
          .examples = std::move(examples),
          .options = std::move(options),
          .run = [action](const Global& global) {
            return run_in_mesh(global, [&](Session& session) { return act(session, *action); });
          }};
}

}  // namespace

std::vector<Verb> errors_verbs() {
  return {{.name = "errors",
           .summary = "What the error bus knows: issues and events",
           .verbs = {
               list_verb(), tail_verb(), show_verb(),
               action_verb("ack", "Somebody works on an issue",
                           {"weft errors ack 0123 --why 'disk ordered'", "weft errors ack 0123 --until 2h"}),
               action_verb("resolve", "An issue is fixed; it comes back as regressed",
                           {"weft errors resolve 0123", "weft errors resolve 0123 --in-version 1.4.0"}),
               action_verb("archive", "Hide an issue",
                           {"weft errors archive 0123 --why 'known, harmless'", "weft errors archive 0123 --until 7d"}),
               action_verb("reopen", "An issue is open again", {"weft errors reopen 0123"})}}};
}

}  // namespace weft::cli
