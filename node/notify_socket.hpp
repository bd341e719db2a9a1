// The socket on which children say READY=1 and WATCHDOG=1 (sd_notify(3)); the kernel tells which process spoke.
#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "weft/base/base.hpp"

namespace weft::node {

/// What one datagram said.
struct Notification {
  pid_t pid = 0;
  bool ready = false;
  bool watchdog = false;
  std::string status;  ///< STATUS=…; may be empty
};
/// Lines of NAME=value; what is unknown is skipped.
Notification parse_notification(std::string_view text);

/// Loop-bound.
class NotifySocket {
 public:
  using Handler = std::function<void(const Notification&)>;
  /// Replaces a socket file that a former node left. Errors: `io_failed`, `bad_address` (path too long).
  static Result<std::unique_ptr<NotifySocket>> open(Loop& loop, const std::string& path, Handler handler);
  ~NotifySocket();  ///< removes the file
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

 private:
  NotifySocket(Loop& loop, std::string path, int fd, Handler handler);
  void read();

  Loop& loop_;
  std::string path_;
  int fd_;
  Handler handler_;
  Loop::Id watch_ = 0;
};

}  // namespace weft::node
