// weft logs: what the processes of the mesh log, read through the nodes that keep the files.
#include <algorithm>
#include <cstdlib>

#include "cli/log_lines.hpp"
#include "cli/node_survey.hpp"
#include "cli/session.hpp"

namespace weft::cli {
namespace {

constexpr Duration kFollowPeriod = 250ms;

struct LogsOptions {
  std::vector<std::string> agents;  // empty: all
  std::string host, level = "trace";
  std::uint64_t lines = 100;
  Duration since{};
  bool follow = false, reopen = false, lines_given = false;

  bool whole_file() const { return since > Duration::zero() || level != "trace"; }
  std::size_t lines_max() const { return since > Duration::zero() && !lines_given ? SIZE_MAX : lines; }
};

/// One log, and how far it was read.
struct LogSource {
  LogSource(std::string on, std::string name, std::string node_instance, std::int64_t from)
      : host(std::move(on)),
        agent(std::move(name)),
        node(std::move(node_instance)),
        offset(from),
        reader(host, agent) {}
  std::string host, agent, node;
  std::int64_t offset;
  std::uint64_t file = 0;
  LogReader reader;
};

/// What a node runs of the wanted agents.
std::vector<std::string> wanted_of(const HostReport& report, const std::vector<std::string>& agents) {
  std::vector<std::string> all{"node"}, wanted;
  for (const auto& row : report.reply->processes) all.push_back(row.agent);
  if (agents.empty()) return all;
  std::copy_if(all.begin(), all.end(), std::back_inserter(wanted),
               [&](const std::string& name) { return std::find(agents.begin(), agents.end(), name) != agents.end(); });
  return wanted;
}

/// The agent that no node runs.
std::optional<Error> unknown_log(const std::vector<HostReport>& reports, const LogsOptions& options) {
  std::vector<std::string> names;
  for (const auto& report : reports) {
    for (auto& name : wanted_of(report, {})) names.push_back(std::move(name));
  }
  for (const auto& agent : options.agents) {
    if (std::find(names.begin(), names.end(), agent) != names.end()) continue;
    return Error(codes::unknown_agent,
                 "no node" + (options.host.empty() ? "" : " of host '" + options.host + "'") + " runs an agent '" +
                     agent + "'" + did_you_mean(agent, {names.begin(), names.end()}),
                 "weft ps shows what runs where");
  }
  return std::nullopt;
}

/// The nodes that answered, on the chosen host.
Task<Result<std::vector<HostReport>>> chosen_reports(Session& session, const LogsOptions& options) {
  auto reports = co_await ask_nodes(session);
  note_absent(session.global(), absent_hosts(reports));
  std::erase_if(reports, [&](const HostReport& report) {
    const bool other = !options.host.empty() && options.host != report.node.host;
    if (!other && !report.reply) note(session.global(), "the node of " + report.node.host + " does not answer");
    return other || !report.reply;
  });
  if (auto unknown = unknown_log(reports, options)) co_return *unknown;
  if (reports.empty())
    co_return Error(codes::unknown_agent,
                    "no node" + (options.host.empty() ? "" : " of host '" + options.host + "'") + " answers",
                    "weft ps shows the nodes");
  co_return reports;
}

template <class Reply>
Task<Result<Reply>> ask_node(Session& session, std::string method, wire::Payload request, std::string node,
                             Duration longest) {
  calls::CallOptions call;
  call.timeout = longest;
  call.instance = std::move(node);
  auto answer = co_await session.mesh().call(std::move(method), std::move(request), call);
  co_return answer ? answer->template as<Reply>() : Result<Reply>(answer.error());
}

/// Appends what came since the last time, as far as the filter shows it, and keeps the last `lines_max`.
Task<Result<void>> read_source(Session& session, const LogsOptions& options, const LogFilter& filter, LogSource& source,
                               std::vector<LogLine>& lines) {
  for (;;) {
    node::LogsRequest request;
    request.agent = source.agent;
    request.lines = options.lines;
    request.offset = source.offset;
    request.file = source.file;
    const wire::Payload payload = wire::Payload::of(request);
    auto reply =
        co_await ask_node<node::LogsReply>(session, "node.logs", payload, source.node, session.global().timeout);
    if (!reply) co_return reply.error();
    for (auto& line : source.reader.read(reply->text)) {
      if (filter.shows(line)) lines.push_back(std::move(line));
    }
    const auto most = options.lines_max();
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
    const bool end = source.offset < 0 || reply->text.empty();
    source.offset = reply->next_offset;
    source.file = reply->file;
    if (end) co_return Result<void>();
  }
}

bool colour_on_stdout(const Global& global) {
  const char* none = std::getenv("NO_COLOR");
  return stdout_is_terminal() && !global.no_color && (none == nullptr || *none == '\0');
}

void print_lines(const Global& global, const std::vector<LogLine>& lines) {
  const bool columns = stdout_is_terminal() && !global.json, colour = colour_on_stdout(global);
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.agent.size() + line.host.size() + 1);
  for (const auto& line : lines) {
    print_line(columns ? log_columns(line, colour, width) : global.json ? log_json(line) : printable(line.raw));
  }
}

Task<int> show_logs(Session& session, LogsOptions options) {
  const auto reports = co_await chosen_reports(session, options);
  if (!reports) co_return fail(session.global(), reports.error());
  std::vector<LogSource> sources;
  for (const auto& report : *reports) {
    for (const auto& agent : wanted_of(report, options.agents))
      sources.emplace_back(report.node.host, agent, report.node.instance.to_string(), options.whole_file() ? 0 : -1);
  }
  LogFilter filter;
  filter.level = observe::from_text(options.level, std::type_identity<observe::Level>{}).value_or(filter.level);
  if (options.since > Duration::zero())
    filter.since = to_rfc3339(session.loop().clock().wall() -
                              std::chrono::duration_cast<std::chrono::microseconds>(options.since));
  if (options.follow) session.interruptible();
  int code = kDone;
  do {
    std::vector<LogLine> lines;
    for (auto& source : sources) {
      std::vector<LogLine> some;
      auto read = co_await read_source(session, options, filter, source, some);
      if (!read && !options.follow) code = complain(session.global(), read.error());
      std::move(some.begin(), some.end(), std::back_inserter(lines));
    }
    sort_by_time(lines);
    const auto most = options.lines_max();
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
    print_lines(session.global(), lines);
    if (options.follow) co_await sleep_for(session.loop(), kFollowPeriod);
  } while (options.follow);
  co_return code;
}

// ---- reopen

Task<int> reopen_logs(Session& session, LogsOptions options) {
  const auto reports = co_await chosen_reports(session, options);
  if (!reports) co_return fail(session.global(), reports.error());
  Table table({"HOST", "AGENT", "LOG", "NOTE"});
  Value::List list;
  int code = kDone;
  for (const auto& report : *reports) {
    const auto agents = wanted_of(report, options.agents);
    if (agents.empty()) continue;
    const wire::Payload request = wire::Payload::of(node::ReopenRequest{agents});
    auto reply =
        co_await ask_node<node::ReopenReply>(session, "node.reopen_logs", request, report.node.instance.to_string(),
                                             std::max<Duration>(session.global().timeout, 5s));
    if (!reply) {
      code = complain(session.global(), reply.error());
      continue;
    }
    for (const auto& one : reply->logs) {
      if (!one.reopened) code = kFailed;
      table.add({report.node.host, one.agent, one.reopened ? "open" : "NOT OPEN", printable(one.text)});
      Value entry = to_value(one);
      entry.set("host", report.node.host);
      list.push_back(std::move(entry));
    }
  }
  if (session.global().json) {
    print_json(Value(std::move(list)));
  } else {
    table.print();
  }
  co_return code;
}

}  // namespace

std::vector<Verb> log_verbs() {
  auto options = std::make_shared<LogsOptions>();
  return {{.name = "logs",
           .summary = "Show the logs of agents",
           .examples = {"weft logs sysmon digest --host beta -n 20", "weft logs --level warn --since 10m -f",
                        "weft logs --reopen"},
           .options = {texts("agents", options->agents, "AGENT", "Their names; all when left out"),
                       text("--host", options->host, "HOST", "Only on this host"),
                       number("-n,--lines", options->lines, Bounds{0, 1e6}, "How many lines of the end")
                           .noting(options->lines_given),
                       duration("--since", options->since, "Only lines that are not older, such as 10m"),
                       choice("--level", options->level, "trace,debug,info,warn,error,fatal", "LEVEL",
                              "Only lines of this level and worse"),
                       flag("-f,--follow", options->follow, "Go on with what comes; Ctrl-C ends it"),
                       flag("--reopen", options->reopen,
                            "After a rotation: wait until the processes write to new files, and show which do not")},
           .run = [options](const Global& global) {
             return run_in_mesh(global, [&](Session& session) {
               return options->reopen ? reopen_logs(session, *options) : show_logs(session, *options);
             });
           }}};
}

}  // namespace weft::cli
