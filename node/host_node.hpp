// The node of one host while it runs: start-up, adoption, supervision, the way down. Loop-bound.
#pragma once
#include <memory>
#include <string>

#include "node/background.hpp"
#include "node/claims.hpp"
#include "node/notify_socket.hpp"
#include "node/observers.hpp"
#include "node/postmortem.hpp"
#include "node/prepare.hpp"
#include "node/process_file.hpp"
#include "node/supervisor.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"
#include "weft/program/program.hpp"

namespace weft::node {

class HostNode final : private Observer {
 public:
  /// Borrows all.
  HostNode(program::Program& program, const Prepared& prepared, Claims& claims, Progress& progress,
           Background& background);
  ~HostNode() override;

  /// Opens the doors and begins to start processes. Errors: `port_taken`, `bad_address`, `io_failed`.
  Result<void> open();
  /// To the error bus, in the name of this node.
  void report(ErrorEvent event) { mesh_.report(std::move(event)); }
  /// Stops agents, leaves the mesh, stops the error bus and the registry.
  Task<void> drain();
  /// After the loop: ends what is left, and removes what a running node keeps on disk.
  void clean_up() noexcept;

  static constexpr Duration kStopBudget = std::chrono::milliseconds(9500);

 private:
  // It watches its own processes: health, and a first start of registry or bus that fails.
  void changed(const Unit& unit, const Status& status) override;
  void ended(const Unit& unit, const Status& status, const Ended& ended) override;

  Task<void> start_up();
  Task<void> adopt_or_end();
  Result<void> check_ports() const;
  void give_up(const Error& error, int exit_code);
  void write_http_address();
  void write_processes();
  void rotate_logs();
  void log_lost(const std::string& file, const Error& why);
  std::vector<std::string> names(bool infrastructure) const;
  const PlacedUnit* placed(std::string_view name) const;

  program::Program& program_;
  const Prepared& prepared_;
  Progress& progress_;
  Background& background_;
  Loop& loop_;
  net::Context context_;
  mesh::Mesh mesh_;
  observe::Counter& logs_lost_;
  std::unique_ptr<Launcher> processes_;
  ClaimingLauncher launcher_;
  Observers observers_;
  ProcessMetrics metrics_;
  Postmortem postmortem_;
  Announcer announcer_;
  ProcessFileKeeper keeper_;
  Supervisor supervisor_;
  std::unique_ptr<NotifySocket> notify_;
  Timer rotation_;
  std::string boot_ = boot_id();
  std::string failed_first_;  ///< registry or bus, when its first start failed
  Ended first_failure_;
  bool came_up_ = false;
  TaskScope tasks_;
};

}  // namespace weft::node
