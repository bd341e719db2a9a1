// free_port(): for tests whose peer must know a port before it is bound, or must find it again after a restart.
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "tests/support/catch.hpp"

namespace weft::test {

/// A port that is free, and stays so: below those that the kernel gives to whoever asks for any.
inline std::uint16_t free_port() {
  static auto next = static_cast<std::uint16_t>(10'000 + ::getpid() % 400 * 50);
  for (int tries = 0; tries < 1'000; ++tries) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(++next);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (free) return next;
  }
  FAIL("no port is free");
  return 0;
}

}  // namespace weft::test
