// What the node answers in the mesh: the requests and replies of agent "node". Values.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::node {

/// One process of a host.
struct ProcessRow {
  std::string agent;
  std::string state;           ///< waiting, starting, ready, backoff, stopping, stopped, done, failed
  int pid = 0;                 ///< 0: none
  int restarts = 0;            ///< since the node started
  std::int64_t since_us = 0;   ///< wall time at which `state` began
  double startup_seconds = 0;  ///< from launch to ready, the last time
  std::string text;            ///< how it ended last, what it waits for, or what it says of itself
  std::string log;             ///< path on its host
  WEFT_FIELDS(ProcessRow, agent, state, pid, restarts, since_us, startup_seconds, text, log)
};

/// `node.ps`: null -> PsReply.
struct PsReply {
  std::string mesh, host;
  int pid = 0;  ///< of the node
  std::vector<ProcessRow> processes;
  std::vector<std::string> fleet{};  ///< names of all hosts in its fleet file
  WEFT_FIELDS(PsReply, mesh, host, pid, processes, fleet)
};

/// `node.restart`, `node.stop`, `node.start`: AgentRequest -> ProcessRow, when that is done. Errors: `unknown_agent`.
struct AgentRequest {
  std::string agent;
  WEFT_FIELDS(AgentRequest, agent)
};

/// `node.logs`: the last `lines`, or with an `offset` (from an earlier reply) what came since; 0 is the start of the
/// file. At most 256 KiB. Errors: `unknown_agent`.
struct LogsRequest {
  std::string agent;
  std::uint64_t lines = 100;
  std::int64_t offset = -1;  ///< -1: the last lines
  std::uint64_t file = 0;  ///< of an earlier reply: where it is another file now, `offset` is taken as 0; 0: not known
  WEFT_FIELDS(LogsRequest, agent, lines, offset, file)
};
struct LogsReply {
  std::string text;
  std::int64_t next_offset = 0;
  std::uint64_t file = 0;  ///< changes when the file is replaced by a rotation
  WEFT_FIELDS(LogsReply, text, next_offset, file)
};

/// `node.reopen_logs`: ReopenRequest -> ReopenReply, when each process writes to the file that has the name of its log,
/// or after 3 s. Processes that do not run are left out. Errors: `unknown_agent`.
struct ReopenRequest {
  std::vector<std::string> agents;  ///< empty: all, with the node
  WEFT_FIELDS(ReopenRequest, agents)
};
struct ReopenedLog {
  std::string agent;
  bool reopened = false;
  std::string text;  ///< why not; may be empty
  WEFT_FIELDS(ReopenedLog, agent, reopened, text)
};
struct ReopenReply {
  std::vector<ReopenedLog> logs;
  WEFT_FIELDS(ReopenReply, logs)
};

// `node.shutdown`: null -> null, before the node stops its host.

}  // namespace weft::node
