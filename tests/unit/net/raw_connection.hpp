// RawConnection: a TCP connection that speaks no ZeroMQ, or only what a test gives it to send.
#pragma once
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/catch.hpp"

namespace weft::test {

class RawConnection {
 public:
  /// `endpoint` is tcp://127.0.0.1:port.
  explicit RawConnection(const std::string& endpoint) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  RawConnection(RawConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawConnection& operator=(RawConnection&&) = delete;
  ~RawConnection() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// False when the other end has closed the connection.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Reads and discards so many bytes; false when the other end closed before.
  bool skip(std::size_t bytes) const {
    std::array<char, 4096> read;
    while (bytes > 0) {
      const auto got = ::recv(fd_, read.data(), std::min(bytes, read.size()), 0);
      if (got <= 0) return false;
      bytes -= static_cast<std::size_t>(got);
    }
    return true;
  }
  /// Reads and discards until the other end closes.
  bool closed_within(std::chrono::milliseconds limit) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    std::array<char, 4096> read;
    const int wait_ms = static_cast<int>(std::min<std::int64_t>(limit.count(), 100));
    for (pollfd readable{fd_, POLLIN, 0}; std::chrono::steady_clock::now() < end;) {
      if (::poll(&readable, 1, wait_ms) > 0 && ::recv(fd_, read.data(), read.size(), 0) <= 0) return true;
    }
    return false;
  }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

}  // namespace weft::test
