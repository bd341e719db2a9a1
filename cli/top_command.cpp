// weft top: what every agent does right now: rates, latency, what waits, drops and errors; per link with --links.
#include <algorithm>

#include "cli/survey.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::cli {

namespace {

using wire::StatsReply;

struct TopArguments {
  std::string who;
  Duration interval = 1s;
  std::size_t count = 0;  // rounds; 0: until Ctrl-C
  bool links = false;
};

struct Sample {
  wire::InstanceRecord record;
  StatsReply stats;
  TimePoint at;
};
using Samples = std::map<Ulid, Sample>;

/// What happened between two samples of one instance.
struct Row {
  const Sample* now = nullptr;
  double requests = 0, failures = 0, calls = 0, messages = 0, drops = 0;  // per second
  Duration p50{}, p99{};                                                  // of the requests between
};

/// The upper bound of the bucket in which `part` of what came between two samples lies.
Duration quantile(const StatsReply& before, const StatsReply& now, double part) {
  std::vector<std::uint64_t> counts;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < now.request_times.size(); ++i) {
    counts.push_back(now.request_times[i] - (i < before.request_times.size() ? before.request_times[i] : 0));
    sum += counts.back();
  }
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size() && sum > 0; ++i) {
    seen += counts[i];
    if (static_cast<double>(seen) < part * static_cast<double>(sum)) continue;
    const double seconds = now.bounds.empty() ? 0 : now.bounds[std::min(i, now.bounds.size() - 1)];
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }
  return {};
}

Row between(const Sample& before, const Sample& now) {
  const double seconds = std::max(1e-6, to_seconds(now.at - before.at));
  const auto rate = [&](auto member) {
    const std::uint64_t a = before.stats.*member, b = now.stats.*member;
    return b < a ? 0.0 : static_cast<double>(b - a) / seconds;
  };
  Row row;
  row.now = &now;
  row.requests = rate(&StatsReply::requests);
  row.failures = rate(&StatsReply::request_failures) + rate(&StatsReply::call_failures);
  row.calls = rate(&StatsReply::calls);
  row.messages = rate(&StatsReply::sent) + rate(&StatsReply::received);
  row.drops = rate(&StatsReply::dropped) + rate(&StatsReply::requests_expired);
  row.p50 = quantile(before.stats, now.stats, 0.5);
  row.p99 = quantile(before.stats, now.stats, 0.99);
  return row;
}

Value row_document(const Row& row) {
  Value entry;
  entry.set("agent", row.now->record.agent);
  entry.set("host", row.now->record.host);
  entry.set("instance", row.now->record.instance.to_string());
  entry.set("requests_per_second", row.requests);
  entry.set("errors_per_second", row.failures);
  entry.set("calls_per_second", row.calls);
  entry.set("messages_per_second", row.messages);
  entry.set("drops_per_second", row.drops);
  entry.set("p50_seconds", to_seconds(row.p50));
  entry.set("p99_seconds", to_seconds(row.p99));
  entry.set("totals", to_value(row.now->stats));
  return entry;
}

void print_rows(const std::vector<Row>& rows) {
  Table table({"AGENT", "HOST", "REQ/S", "P50 <", "P99 <", "BUSY", "CALL/S", "WAIT", "MSG/S", "ERR/S", "DROP/S"});
  for (const Row& row : rows) {
    const StatsReply& stats = row.now->stats;
    table.add({row.now->record.agent, row.now->record.host, shown_rate(row.requests),
               row.requests > 0 ? shown_time(row.p50) : "-", row.requests > 0 ? shown_time(row.p99) : "-",
               std::to_string(stats.in_flight), shown_rate(row.calls), std::to_string(stats.calls_waiting),
               shown_rate(row.messages), shown_rate(row.failures), shown_rate(row.drops)});
  }
  table.print();
}

void print_links(const std::vector<Row>& rows, const mesh::Directory& directory) {
  std::map<std::string, std::string> names;
  for (const auto* record : directory.all()) {
    names[record->call_endpoint] = names[record->call_local] = record->agent + "@" + record->host;
  }
  Table table({"FROM", "TO", "CONNECTED", "IN FLIGHT", "QUEUED BYTES"});
  for (const Row& row : rows) {
    for (const auto& link : row.now->stats.links) {
      const auto name = names.find(link.endpoint);
      table.add({row.now->record.agent + "@" + row.now->record.host,
                 name == names.end() ? printable(link.endpoint) : name->second, link.connected ? "yes" : "no",
                 std::to_string(link.in_flight), std::to_string(link.queued_bytes)});
    }
  }
  table.print();
}

Task<Result<Samples>> sample(Session& session, const Who& who) {
  auto records = find_instances(session.mesh().directory(), who);
  if (!records) co_return records.error();
  const auto answers = co_await survey(session, std::move(*records), "_stats");
  Samples samples;
  for (const auto& one : answers) {
    const auto stats = one.answer ? one.answer->as<StatsReply>() : Result<StatsReply>(one.answer.error());
    if (stats) samples.emplace(one.record.instance, Sample{one.record, *stats, session.loop().now()});
  }
  if (const auto missing = silent(answers); !missing.empty())
    note(session.global(), "no answer from " + joined(missing, ", "));
  co_return samples;
}

Task<int> top(Session& session, const TopArguments& arguments) {
  session.interruptible();
  auto who = parse_who(arguments.who);
  if (!who) co_return fail(session.global(), who.error());
  auto before = co_await sample(session, *who);
  if (!before) co_return fail(session.global(), before.error());
  const bool redraw = stdout_is_terminal() && arguments.count != 1 && !session.global().json;
  for (std::size_t round = 0; arguments.count == 0 || round < arguments.count; ++round) {
    co_await sleep_for(session.loop(), arguments.interval);
    auto now = co_await sample(session, *who);
    if (!now) co_return fail(session.global(), now.error());
    std::vector<Row> rows;
    for (const auto& [id, one] : *now) {
      const auto earlier = before->find(id);
      rows.push_back(between(earlier == before->end() ? one : earlier->second, one));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.requests + a.calls > b.requests + b.calls; });
    if (redraw) print("\x1b[H\x1b[2J");
    if (session.global().json) {
      for (const Row& row : rows) print_json_line(row_document(row));
    } else {
      print_rows(rows);
      if (arguments.links) print_links(rows, session.mesh().directory());
    }
    before = std::move(now);
  }
  co_return kDone;
}

}  // namespace

std::vector<Verb> top_verbs() {
  auto arguments = std::make_shared<TopArguments>();
  return {{.name = "top",
           .summary = "Show live rates, latency, errors and drops of agents and links",
           .examples = {"weft top", "weft top digest --links", "weft top --count 1 --json"},
           .options = {who_option(arguments->who),
                       duration("--interval", arguments->interval, "Time over which rates are taken"),
                       number("--count", arguments->count, "Rounds; until Ctrl-C when left out"),
                       flag("--links", arguments->links, "Also each connection: what is in flight, what waits")},
           .run = [arguments](const Global& global) {
             return run_in_mesh(global, [&](Session& session) { return top(session, *arguments); });
           }}};
}

}  // namespace weft::cli
