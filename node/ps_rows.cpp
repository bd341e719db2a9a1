#include "node/ps_rows.hpp"

#include <unistd.h>

namespace weft::node {

ProcessRow row_of(const Child& child, const Clock& clock) {
  const Status& status = child.status();
  ProcessRow row;
  row.agent = child.unit().name;
  row.state = to_string(status.state);
  row.pid = status.process.pid;
  row.restarts = status.restarts;
  const auto age = std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - status.since);
  row.since_us = to_us(clock.wall()) - age.count();
  row.startup_seconds = to_seconds(status.startup);
  row.text = status.state == State::ready && !status.status_line.empty() ? status.status_line : status.why;
  row.log = child.unit().command.log;
  return row;
}

PsReply ps_reply(const Supervisor& supervisor, const std::string& mesh, const std::string& host, const Clock& clock) {
  PsReply reply;
  reply.mesh = mesh;
  reply.host = host;
  reply.pid = ::getpid();
  for (const auto& child : supervisor.children()) reply.processes.push_back(row_of(*child, clock));
  return reply;
}

}  // namespace weft::node
