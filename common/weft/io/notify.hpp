// Notifier: reports the states of this process to its supervisor by sd_notify(3), over the datagram socket that
// NOTIFY_SOCKET names.
#pragma once
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::io {

/// The queue of that socket is short (10 datagrams in a new network namespace), so each message is kept and sent again
/// until the supervisor's queue accepts it: none is lost, and sending never blocks. One socket, kept open.
/// Without NOTIFY_SOCKET, or with a name that is not an address, nothing is sent. Loop-bound; borrows the loop.
class Notifier {
 public:
  explicit Notifier(Loop& loop);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// "READY=1", "STATUS=…", "WATCHDOG=1", "STOPPING=1"; at most 512 bytes of it are sent. Replaces a waiting message of
  /// the same name.
  void send(std::string message);
  /// How many messages wait for room in the supervisor's queue, or for a supervisor.
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  void flush();
  /// 0, or the errno of the attempt.
  int try_send() noexcept;

  std::string address_;  // as a sockaddr_un; empty: no supervisor
  int fd_ = -1;
  std::vector<std::string> waiting_;  // one for each name, oldest first
  Duration delay_;
  Timer retry_;
};

}  // namespace weft::io
