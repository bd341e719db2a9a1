#include "weft/mesh/router.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace weft::mesh {
namespace {

bool is_socket(const std::string& endpoint) {
  struct stat status {};
  return endpoint.starts_with("ipc://") && ::stat(endpoint.c_str() + 6, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// The tag `weight`: its share among equals, above 0; 1 for what is none.
double weight_of(const InstanceRecord& record) {
  const auto tag = record.tags.find("weight");
  if (tag == record.tags.end()) return 1;
  double weight = 0;
  const char* end = tag->second.data() + tag->second.size();
  const auto [rest, error] = std::from_chars(tag->second.data(), end, weight);
  return error == std::errc() && rest == end && weight >= 0.001 && weight <= 1000 ? weight : 1;
}

/// An instance with a warning gets a part of its share.
void take_health(InstanceState& instance_state, const InstanceRecord& record) {
  constexpr double kWarned = 0.5;
  instance_state.healthy = record.health != HealthState::critical;
  instance_state.set_weight(weight_of(record) * (record.health == HealthState::warning ? kWarned : 1));
  instance_state.health_text =
      record.health == HealthState::passing ? std::string() : std::string(to_string(record.health));
  if (record.health != HealthState::passing && !record.health_text.empty())
    instance_state.health_text += ": " + record.health_text;
}

bool speaks_ours(const InstanceRecord& record) noexcept {
  return record.protocol_min <= wire::kVersion && wire::kVersion <= record.protocol_max;
}

std::string versions(std::uint32_t first, std::uint32_t last) {
  return first == last ? std::to_string(first) : std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace

Router::Router(Directory& directory, Caller& caller, const Identity& identity)
    : directory_(directory), caller_(caller), identity_(identity) {
  directory_.watch([this](const InstanceRecord& record, const Removal* removed) { changed(record, removed); });
}

void Router::changed(const InstanceRecord& record, const Removal* removed) {
  ++version_;
  if (const auto known = known_.find(record.agent); known != known_.end()) known_.erase(known);
  const auto found = instance_states_.find(record.instance);
  if (found == instance_states_.end()) return;
  if (removed) {
    instance_states_.erase(found);
  } else {
    found->second->draining = false;
    take_health(*found->second, record);
  }
}

std::shared_ptr<InstanceState> Router::instance_state_of(const InstanceRecord& record) {
  auto& instance_state = instance_states_[record.instance];
  if (instance_state) return instance_state;
  instance_state = std::make_shared<InstanceState>();
  instance_state->id = record.instance;
  instance_state->place = std::hash<std::string>{}(record.slot.empty() ? record.instance.to_string() : record.slot);
  instance_state->host = record.host;
  instance_state->local = record.host == identity_.host;
  take_health(*instance_state, record);
  return instance_state;
}

const std::string& Router::reach(const InstanceRecord& record, const std::string& local,
                                 const std::string& remote) const {
  return record.host == identity_.host && is_socket(local) ? local : remote;
}

std::shared_ptr<const Router::Candidates> Router::candidates(std::string_view agent) {
  if (const auto found = known_.find(agent); found != known_.end()) return found->second;
  auto all = std::make_shared<Candidates>();
  for (const InstanceRecord* record : directory_.instances(agent)) {
    if (record->call_endpoint.empty() || !speaks_ours(*record)) continue;
    all->push_back({std::make_shared<const InstanceRecord>(*record),
                    caller_.destination(reach(*record, record->call_local, record->call_endpoint)),
                    instance_state_of(*record)});
  }
  std::sort(all->begin(), all->end(),
            [](const auto& a, const auto& b) { return a.instance_state->id < b.instance_state->id; });
  if (!all->empty()) known_.emplace(agent, all);  // names of nobody are not kept
  return all;
}

/// ", but on alpha, beta"; nothing when it runs nowhere.
std::string Router::hosts_of(std::string_view agent) const {
  std::set<std::string_view> hosts;
  for (const InstanceRecord* record : directory_.instances(agent)) hosts.insert(record->host);
  std::string out;
  for (const auto host : hosts) out += (out.empty() ? ", but on " : ", ") + std::string(host);
  return out;
}

Error Router::nobody(std::string_view agent, const CallOptions& call) const {
  if (!directory_.filled()) {
    return Error(codes::no_registry, "no registry has answered yet",
                 "is the mesh running? weft up starts it; registry.addresses says where it is looked for");
  }
  const std::string name(agent.substr(0, kNameMax));
  for (const InstanceRecord* record : directory_.instances(agent)) {
    if (speaks_ours(*record)) continue;
    return Error(codes::wrong_version,
                 name + "@" + record->host + " speaks version " + versions(record->protocol_min, record->protocol_max) +
                     " of the protocol, this process " + versions(wire::kVersion, wire::kVersion),
                 "bring both to releases whose versions overlap: weft check versions shows who runs which");
  }
  std::string text = "no live instance of agent '" + name + "'";
  if (!call.host.empty()) text += " on host '" + *call.host + "'" + hosts_of(agent);
  if (!call.instance.empty()) text += " with id " + *call.instance;
  if (directory_.instances(agent).empty()) text += did_you_mean(name, directory_.agent_names());
  return Error(codes::no_responders, text, "weft ps shows what runs");
}

}  // namespace weft::mesh
