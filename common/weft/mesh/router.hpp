// Router: which instances answer for an agent and how they are reached, from the live copy of the registry's records.
// Private to mesh.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/base/hash.hpp"
#include "weft/calls/caller.hpp"
#include "weft/mesh/directory.hpp"
#include "weft/policy/balancer.hpp"

namespace weft::mesh {

using calls::Caller;
using calls::CallOptions;
using calls::Destination;
using policy::InstanceState;
using wire::HealthState;

class Router {
 public:
  struct Candidate {
    std::shared_ptr<const InstanceRecord> record;
    std::shared_ptr<Destination> to;
    std::shared_ptr<InstanceState> instance_state;  ///< kept for as long as the instance is known
  };
  using Candidates = std::vector<Candidate>;
  /// Borrows all. Drops what it remembers of an agent when its records change.
  Router(Directory& directory, Caller& caller, const Identity& identity);

  /// Those of `agent` that take calls, in order of their instance ids; empty when there is nobody.
  std::shared_ptr<const Candidates> candidates(std::string_view agent);
  /// Another number whenever candidates() may say something else.
  std::uint64_t version() const noexcept { return version_; }
  /// Why nobody takes a call. Errors: `no_registry` while no records are known, `no_responders`.
  Error nobody(std::string_view agent, const CallOptions& call) const;
  /// Where this process reaches an instance: by ipc on its own host, when that socket is there, else by tcp.
  const std::string& reach(const InstanceRecord& record, const std::string& local, const std::string& remote) const;

 private:
  std::string hosts_of(std::string_view agent) const;
  void changed(const InstanceRecord& record, const Removal* removed);
  std::shared_ptr<InstanceState> instance_state_of(const InstanceRecord& record);

  Directory& directory_;
  Caller& caller_;
  const Identity& identity_;
  std::unordered_map<std::string, std::shared_ptr<const Candidates>, TextHash, std::equal_to<>> known_;  // by agent
  std::unordered_map<Ulid, std::shared_ptr<InstanceState>> instance_states_;
  std::uint64_t version_ = 1;
};

}  // namespace weft::mesh
