// Router: which instance of an agent answers a call, from the live copy of the registry's records. Private to mesh.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/mesh/calls.hpp"

namespace weft::mesh {

class Router {
 public:
  struct Candidate {
    std::shared_ptr<const InstanceRecord> record;
    std::shared_ptr<Destination> to;
    bool local = false;  ///< on this host
  };
  /// Borrows all. Drops what it remembers when the directory changes.
  Router(Directory& directory, Calls& calls, const PeerOptions& options);

  /// Where one attempt of a call goes, kept alive while it lasts.
  struct Route {
    std::shared_ptr<const InstanceRecord> record;
    std::shared_ptr<Destination> to;
    std::optional<Error> nobody{};  ///< why there is none
  };
  Route route(std::string_view agent, const CallOptions& call);
  /// Errors: `no_registry` while no records are known, `no_responders`. The candidate lives until the directory
  /// changes.
  Result<const Candidate*> choose(std::string_view agent, const CallOptions& call);
  /// Those that take calls, in order of their instance ids. Borrowed until the directory changes.
  const std::vector<Candidate>& candidates(std::string_view agent);
  /// Where this process reaches an instance: by ipc on its own host, when that socket is there, else by tcp.
  const std::string& reach(const InstanceRecord& record, const std::string& local, const std::string& remote) const;

 private:
  struct Entry {
    std::string agent;
    std::vector<Candidate> candidates;
  };
  Error nobody(std::string_view agent, const CallOptions& call) const;

  Directory& directory_;
  Calls& calls_;
  const PeerOptions& options_;
  std::unordered_map<std::string_view, std::unique_ptr<Entry>> entries_;
  std::size_t turns_ = 0;
};

}  // namespace weft::mesh
