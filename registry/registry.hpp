// The door of registry: the registry of one host. Agents register with it and copy what it knows; registries copy from
// each other. docs/registry.md says what is promised.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"
#include "weft/store/store.hpp"

namespace weft::registry {

struct Options {
  peer::PeerOptions peer;          ///< agent, slot, instance and fixed ports of the registry itself
  std::vector<std::string> peers;  ///< call endpoints of other registries; its own among them does no harm
  Duration lease = 3s;
  std::size_t instances_max = 65'536;  ///< registered here; more are answered `table_full`
  std::map<std::string, std::string> tags;
  std::string admin;  ///< address of the admin door, for its own record
  std::string config_hash;
  std::string boot;  ///< which start of the machine this is (boot_id of the kernel); empty: not known
};

/// Borrows all that its constructor takes. Loop-bound.
class Registry {
 public:
  using OpenStore = std::function<Result<store::Opened>()>;
  /// `open_store` is called by start(), and again later for as long as it fails.
  Registry(Loop& loop, net::Context& context, Options options, OpenStore open_store, Random& random,
           observe::Metrics& metrics, observe::Log& log, observe::Health& health);
  ~Registry();

  /// Binds, loads the store, enters itself, and begins to serve and to follow its peers. A store that fails is told in
  /// the log and in health (`store`), and does not stop it. Errors: those of peer::Peer::bind().
  Result<void> start();
  /// Leaves the table, tells everybody, and writes what is left.
  void stop();
  peer::Peer& peer() noexcept;

  // HTTP, for the admin door
  /// GET /v1/agents?agent=&host=: the records as a JSON list.
  io::HttpResponse agents_page(const io::HttpRequest& request) const;
  /// GET /v1/http_sd: Prometheus HTTP service discovery; every admin door that can be reached from here.
  io::HttpResponse http_sd_page(const io::HttpRequest& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::registry
