// Where a node keeps what: state that outlives it, a run directory that does not, and the context file that tells
// command-line tools of this user where the mesh is.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::node {

struct Places {
  std::string state;  ///< databases, spools, logs: kept
  std::string run;    ///< sockets and who runs: removed at the end
  std::string context_file;

  std::string log_of(std::string_view agent) const { return state + "/log/" + std::string(agent) + ".log"; }
  std::string notify_socket() const { return run + "/notify.sock"; }
  std::string crash_file(std::string_view agent) const { return run + "/" + std::string(agent) + ".crash"; }
  std::string lock_file() const { return run + "/node.lock"; }
  std::string claims_file() const { return state + "/claims"; }
  std::string process_file() const { return run + "/processes.json"; }
};
/// `state` and `run` may be empty: then below XDG_STATE_HOME and XDG_RUNTIME_DIR. The result is absolute.
Places places_of(const std::string& mesh, const std::string& host, const std::string& state, const std::string& run);
/// Makes the directories, the run directory for this user only. Errors: `io_failed`, `disk_full`.
Result<void> create(const Places& places);

/// A mesh that runs on this machine, as its node tells it to command-line tools.
struct Context {
  std::string mesh, host;
  std::string registry;  ///< call endpoint
  std::string http;      ///< of the registry's admin door
  pid_t pid = 0;         ///< of the node
  std::string state, run;
  WEFT_FIELDS(Context, mesh, host, registry, http, pid, state, run)
  std::string name() const { return mesh + "@" + host; }
};
/// Errors: `io_failed`, `disk_full`.
Result<void> write_context(const std::string& file, const Context& context);
void remove_context(const Places& places) noexcept;
/// Those whose node lives, by name; files of nodes that were killed are skipped.
std::vector<Context> live_contexts();

/// Held by the one node of a run directory; the kernel lets go of it when the node ends, however it ends.
class NodeLock {
 public:
  /// Errors: `already_running` with the pid, `io_failed`.
  static Result<NodeLock> take(const std::string& file);
  /// Who holds it; nothing when nobody does.
  static std::optional<pid_t> holder(const std::string& file);
  NodeLock(NodeLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  NodeLock& operator=(NodeLock&&) = delete;
  ~NodeLock();

 private:
  explicit NodeLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace weft::node
