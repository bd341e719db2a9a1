// What the verbs about work queues share: the processes that keep queues, and asking each of them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "weft/queue/messages.hpp"

namespace weft::queue {
class Queues;
}

namespace weft::cli {

/// Every live process that has queues, by host and agent.
std::vector<wire::InstanceRecord> keepers(Session& session);

/// Errors: `unknown_agent`: no agent of that name is in the mesh; `no_such_method`: it works on no such queue.
Result<void> check_queue(Session& session, const std::string& name);

/// The queues of a command that is itself a producer: in memory, and dropped with the command.
class CommandQueues {
 public:
  explicit CommandQueues(Session& session);
  CommandQueues(CommandQueues&&) = delete;
  ~CommandQueues();
  queue::Queues& queues() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The answer of `method` of that process. The error names it.
Task<Result<wire::Payload>> ask_keeper(Session& session, const wire::InstanceRecord& record, const char* method,
                                       wire::Payload request);

}  // namespace weft::cli
