// The socket on which children report READY=1 and WATCHDOG=1 (sd_notify(3)); the kernel adds the sender's pid.
#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "weft/base/base.hpp"

namespace weft::node {

/// The content of one datagram.
struct Notification {
  pid_t pid = 0;
  bool ready = false;
  bool watchdog = false;
  std::string status;  ///< STATUS=…; may be empty
};
/// Lines of NAME=value; unknown names are skipped.
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

  /// Hands over all that has arrived, at most kDrainMax at once. The handler must not destroy this object.
  void drain();

  static constexpr std::size_t kDrainMax = 10'000;  ///< datagrams; the rest follows in the next turn

 private:
  NotifySocket(Loop& loop, std::string path, int fd, Handler handler);

  Loop& loop_;
  std::string path_;
  int fd_;
  Handler handler_;
  Loop::Id watch_ = 0;
  Timer more_;
};

}  // namespace weft::node
