#include "cli/running_node.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

namespace weft::cli {

RunningNode::RunningNode(const node::Context& context) : pidfd_(::pidfd_open(context.pid, 0)) {
  node::Places places;
  places.run = context.run;
  if (pidfd_ >= 0 && node::NodeLock::holder(places.lock_file()) != context.pid) ::close(std::exchange(pidfd_, -1));
}

RunningNode::~RunningNode() {
  if (pidfd_ >= 0) ::close(pidfd_);
}

bool RunningNode::terminate() const noexcept {
  return pidfd_ < 0 || ::pidfd_send_signal(pidfd_, SIGTERM, nullptr, 0) == 0 || errno == ESRCH;
}

bool RunningNode::ends_within(Duration most) const noexcept {
  pollfd watched{pidfd_, POLLIN, 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::max(most, Duration()));
  return pidfd_ < 0 || ::poll(&watched, 1, static_cast<int>(ms.count())) == 1;
}

}  // namespace weft::cli
