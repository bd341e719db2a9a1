// What the dispatcher shows of itself.
#include <fmt/format.h>

#include <algorithm>

#include "weft/calls/dispatcher_state.hpp"

namespace weft::calls {

std::vector<MethodInfo> Dispatcher::methods() const {
  std::vector<MethodInfo> all;
  for (const auto* method : by_id_) {
    if (method->info.kind != wire::kBuiltIn) all.push_back(method->info);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

void Dispatcher::describe(StatsReply& stats) const {
  stats.requests = ended_;
  stats.request_failures = failures_;
  stats.requests_expired = expired_.value();
  stats.in_flight = in_flight_;
  stats.bounds = observe::latency_bounds();
  stats.request_times.assign(stats.bounds.size() + 1, 0);
  for (const Method* method : by_id_) {
    for (std::size_t i = 0; i < stats.request_times.size(); ++i) stats.request_times[i] += method->duration->count(i);
  }
}

std::vector<HandledCall> Dispatcher::handled() const {
  std::vector<HandledCall> all;
  const TimePoint now = loop_.now();
  const auto us = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  for (const auto& [key, active] : *table_) {
    const Call& call = *active->call;
    if (call.method().starts_with('_')) continue;
    HandledCall one;
    one.method = call.full_name_;
    one.sender = fmt::format("{:016x}", call.sender());
    one.id = call.id();
    one.age_us = us(now - active->begin);
    one.left_us = call.has_deadline() ? us(call.remaining(now)) : -1;
    (void)wire::walk_chain(call.chain(), [&](const wire::ChainLink& link) { one.chain.emplace_back(link.method); });
    all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.age_us > b.age_us; });
  if (all.size() > wire::WaitsReply::kWaitsMax) all.resize(wire::WaitsReply::kWaitsMax);
  return all;
}

}  // namespace weft::calls
