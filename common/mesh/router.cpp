#include "weft/mesh/router.hpp"

#include <sys/stat.h>

#include <tuple>

namespace weft::mesh {
namespace {

bool is_socket(const std::string& endpoint) {
  struct stat status {};
  return endpoint.starts_with("ipc://") && ::stat(endpoint.c_str() + 6, &status) == 0 && S_ISSOCK(status.st_mode);
}

bool fits(const InstanceRecord& record, const CallOptions& call) {
  return (call.host.empty() || record.host == call.host) &&
         (call.instance.empty() || record.instance.to_string() == call.instance);
}

}  // namespace

Router::Router(Directory& directory, Calls& calls, const PeerOptions& options)
    : directory_(directory), calls_(calls), options_(options) {
  directory_.watch([this](const InstanceRecord& record, const Removal*) { entries_.erase(record.agent); });
}

const std::string& Router::reach(const InstanceRecord& record, const std::string& local,
                                 const std::string& remote) const {
  return record.host == options_.host && is_socket(local) ? local : remote;
}

const std::vector<Router::Candidate>& Router::candidates(std::string_view agent) {
  if (const auto found = entries_.find(agent); found != entries_.end()) return found->second->candidates;
  auto entry = std::make_unique<Entry>();
  entry->agent = agent;
  for (const InstanceRecord* record : directory_.instances(agent)) {
    if (record->call_endpoint.empty()) continue;
    entry->candidates.push_back({std::make_shared<const InstanceRecord>(*record),
                                 calls_.destination(reach(*record, record->call_local, record->call_endpoint)),
                                 record->host == options_.host});
  }
  const std::string_view key = entry->agent;
  return entries_.emplace(key, std::move(entry)).first->second->candidates;
}

Result<const Router::Candidate*> Router::choose(std::string_view agent, const CallOptions& call) {
  const auto& all = candidates(agent);
  const bool any = call.host.empty() && call.instance.empty();
  const std::size_t first = ++turns_;  // ties go round
  const Candidate* best = nullptr;
  const auto rank = [](const Candidate& one) {
    return std::tuple(one.record->health == HealthState::critical, !one.local, one.to->in_flight);
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Candidate& one = all[(first + i) % all.size()];
    if (!any && !fits(*one.record, call)) continue;
    if (!best || rank(one) < rank(*best)) best = &one;
  }
  if (!best) {
    auto error = nobody(agent, call);
    if (all.empty()) entries_.erase(agent);  // names of nobody are not kept
    return error;
  }
  return best;
}

Router::Route Router::route(std::string_view agent, const CallOptions& call) {
  auto chosen = choose(agent, call);
  if (!chosen) return {nullptr, nullptr, std::move(chosen.error())};
  return {(*chosen)->record, (*chosen)->to};
}

Error Router::nobody(std::string_view agent, const CallOptions& call) const {
  if (!directory_.filled()) {
    return Error(codes::no_registry, "no registry has answered yet",
                 "is the mesh running? weft up starts it; registry.addresses says where it is looked for");
  }
  const std::string name(agent.substr(0, kNameMax));
  std::string text = "no live instance of agent '" + name + "'";
  if (!call.host.empty()) text += " on host '" + call.host + "'";
  if (!call.instance.empty()) text += " with id " + call.instance;
  if (directory_.instances(agent).empty()) text += did_you_mean(name, directory_.agent_names());
  return Error(codes::no_responders, text, "weft ps shows what runs");
}

}  // namespace weft::mesh
