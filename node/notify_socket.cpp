#include "node/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weft::node {
namespace {

Error failed(const std::string& path, const char* what) {
  return {codes::io_failed, "notify socket " + path + ": " + what + ": " + std::strerror(errno)};
}

pid_t sender_of(msghdr& header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
    return credentials.pid;
  }
  return 0;
}

}  // namespace

Notification parse_notification(std::string_view text) {
  Notification out;
  for (const auto line : split(text, '\n')) {
    if (line == "READY=1") out.ready = true;
    if (line == "WATCHDOG=1") out.watchdog = true;
    if (line.starts_with("STATUS=")) out.status = line.substr(7);
  }
  return out;
}

Result<std::unique_ptr<NotifySocket>> NotifySocket::open(Loop& loop, const std::string& path, Handler handler) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error(
        codes::bad_address,
        "the socket path " + path + " is longer than " + std::to_string(sizeof address.sun_path - 1) + " bytes",
        "choose a shorter run directory: --run DIR");
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(path, "socket");
  const int on = 1;
  (void)::unlink(path.c_str());  // the run directory is locked, so nobody listens there
  if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    auto failure = failed(path, "bind");
    ::close(fd);
    return failure;
  }
  return std::unique_ptr<NotifySocket>(new NotifySocket(loop, path, fd, std::move(handler)));
}

NotifySocket::NotifySocket(Loop& loop, std::string path, int fd, Handler handler)
    : loop_(loop), path_(std::move(path)), fd_(fd), handler_(std::move(handler)), more_(loop) {
  watch_ = loop_.watch(fd_, [this] { drain(); });
}

NotifySocket::~NotifySocket() {
  loop_.unwatch(watch_);
  ::close(fd_);
  (void)::unlink(path_.c_str());
}

void NotifySocket::drain() {
  std::array<char, 4096> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  for (std::size_t left = kDrainMax; left > 0; --left) {
    iovec part{text.data(), text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto size = ::recvmsg(fd_, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    auto notification = parse_notification({text.data(), static_cast<std::size_t>(size)});
    notification.pid = sender_of(header);
    handler_(notification);
  }
  more_.start(Duration::zero(), [this] { drain(); });
}

}  // namespace weft::node
