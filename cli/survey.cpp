#include "cli/survey.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weft::cli {

namespace {

Task<void> ask(Session& session, Answered& one, std::string method, wire::Payload request, Duration timeout,
               std::size_t& left, Completion<bool>::Completer& done) {
  calls::CallOptions options(timeout);
  options.instance = one.record.instance.to_string();
  const TimePoint begin = session.loop().now();
  std::string target = one.record.agent + "." + method;
  one.answer = co_await session.mesh().call(std::move(target), std::move(request), options);
  one.took = session.loop().now() - begin;
  if (--left == 0) session.loop().post([&done] { done.complete(true); });  // whoever waits ends this task's scope
}

double to_us(Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

}  // namespace

template Result<wire::WaitsReply> read_as(const Result<wire::Payload>& answer);
template Result<wire::LedgerReply> read_as(const Result<wire::Payload>& answer);

Option who_option(std::string& who) {
  return text("who", who, "AGENT[@HOST]", "An agent, or one host's; everybody when left out");
}

Result<Who> parse_who(std::string_view text) {
  const auto at = text.find('@');
  Who who{std::string(text.substr(0, at)), at == std::string_view::npos ? "" : std::string(text.substr(at + 1))};
  if (!text.empty() && (who.agent.empty() || (at != std::string_view::npos && who.host.empty())))
    return Error(codes::bad_usage, "'" + std::string(text) + "' is no AGENT or AGENT@HOST");
  return who;
}

Result<std::vector<wire::InstanceRecord>> find_instances(const mesh::Directory& directory, const Who& who) {
  std::vector<wire::InstanceRecord> found;
  std::vector<std::string> hosts;
  for (const auto* record : directory.all()) {
    if ((!who.agent.empty() && record->agent != who.agent) || record->call_endpoint.empty()) continue;
    hosts.push_back(record->host);
    if (who.host.empty() || record->host == who.host) found.push_back(*record);
  }
  if (!found.empty() || (who.agent.empty() && who.host.empty())) {
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return std::tie(a.agent, a.host, a.instance) < std::tie(b.agent, b.host, b.instance);
    });
    return found;
  }
  if (!hosts.empty()) {
    return Error(codes::unknown_agent,
                 "agent '" + who.agent + "' does not run on host '" + who.host + "', but on " + joined(hosts, ", "));
  }
  return Error(codes::unknown_agent,
               "no agent '" + who.agent + "' is in the mesh" + did_you_mean(who.agent, directory.agent_names()),
               "'weft list' shows who is");
}

Task<std::vector<Answered>> survey(Session& session, std::vector<wire::InstanceRecord> records, std::string method,
                                   Value request, Duration longest) {
  std::vector<Answered> answers;
  answers.reserve(records.size());
  for (auto& record : records) {
    Answered one{std::move(record), Error(), {}};
    answers.push_back(std::move(one));
  }
  if (answers.empty()) co_return answers;
  Completion<bool> all;
  auto done = all.completer();
  std::size_t left = answers.size();
  const auto payload = wire::Payload::of(request);
  const Duration timeout = std::min(session.global().timeout, longest);
  TaskScope asking;
  for (auto& one : answers) asking.spawn(ask(session, one, method, payload, timeout, left, done));
  (void)co_await all;
  co_return answers;
}

std::vector<std::string> silent(const std::vector<Answered>& answers) {
  std::vector<std::string> names;
  for (const auto& one : answers) {
    if (!one.answer) names.push_back(one.record.agent + "@" + one.record.host);
  }
  return names;
}

std::string shown_time(Duration duration) {
  const double us = to_us(duration);
  if (us < 1000) return fmt::format("{:.3g} us", us);
  if (us < 1'000'000) return fmt::format("{:.3g} ms", us / 1000);
  return fmt::format("{:.3g} s", us / 1'000'000);
}

std::string shown_rate(double per_second) {
  if (per_second < 10'000) return fmt::format("{:.0f}", per_second);
  if (per_second < 1'000'000) return fmt::format("{:.1f} k", per_second / 1000);
  return fmt::format("{:.2f} M", per_second / 1'000'000);
}

Duration Distribution::quantile(double part) {
  if (all_.empty()) return {};
  const auto last = static_cast<double>(all_.size() - 1);
  const auto at = all_.begin() + static_cast<std::ptrdiff_t>(std::clamp(part, 0.0, 1.0) * last + 0.5);
  std::nth_element(all_.begin(), at, all_.end());
  return *at;
}

Value Distribution::to_json() {
  Value value;
  for (const auto& [name, part] :
       {std::pair("min_us", 0.0), {"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"max_us", 1.0}})
    value.set(name, to_us(quantile(part)));
  return value;
}

}  // namespace weft::cli
