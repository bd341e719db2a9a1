#include "weft/io/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "weft/base/backoff.hpp"

namespace weft::io {
namespace {

constexpr std::size_t kMessageMax = 512;                // bytes
constexpr Duration kRetryMin = 5ms, kRetryMax = 100ms;  // while the supervisor's queue is full
constexpr Duration kRetryAbsent = 1s;                   // while there is no supervisor, or no descriptor for the socket

std::string address_of_supervisor() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un to{};
  if (!path || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof to.sun_path) return {};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path, std::strlen(path));
  if (path[0] == '@') to.sun_path[0] = '\0';  // the abstract namespace
  return {reinterpret_cast<const char*>(&to), offsetof(sockaddr_un, sun_path) + std::strlen(path)};
}

/// One line of at most kMessageMax bytes, cut at a character of UTF-8.
std::string line_of(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  if (message.size() <= kMessageMax) return message;
  std::size_t end = kMessageMax;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80U) --end;
  message.resize(end);
  return message;
}

std::string_view variable_of(std::string_view message) { return message.substr(0, message.find('=')); }

bool queue_is_full(int failure) { return failure == EAGAIN || failure == ENOBUFS || failure == EINTR; }

}  // namespace

Notifier::Notifier(Loop& loop) : address_(address_of_supervisor()), delay_(kRetryMin), retry_(loop) {
  if (!address_.empty()) fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

Notifier::~Notifier() {
  if (fd_ >= 0) ::close(fd_);
}

void Notifier::send(std::string message) {
  if (address_.empty()) return;
  message = line_of(std::move(message));
  std::erase_if(waiting_, [&](const std::string& other) { return variable_of(other) == variable_of(message); });
  waiting_.push_back(std::move(message));
  if (!retry_.running()) flush();
}

void Notifier::flush() {
  const int failure = try_send();
  if (failure == 0) {
    waiting_.clear();
    delay_ = kRetryMin;
    return;
  }
  const Duration delay = queue_is_full(failure) ? std::exchange(delay_, doubled(delay_, 1, kRetryMax)) : kRetryAbsent;
  retry_.start(delay, [this] { flush(); });
}

int Notifier::try_send() noexcept {
  if (fd_ < 0) fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return errno;
  std::string text;
  for (const auto& message : waiting_) text += (text.empty() ? "" : "\n") + message;
  // By address each time, not connected: a supervisor that was replaced has another socket of the same name.
  const auto sent =
      ::sendto(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(address_.data()), static_cast<socklen_t>(address_.size()));
  return sent < 0 ? errno : 0;
}

}  // namespace weft::io
