#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "tests/support/catch.hpp"
#include "weft/io/io.hpp"

using namespace weft;

namespace {
/// A supervisor's socket. `name` begins with '/' or '@'.
struct Supervisor {
  explicit Supervisor(std::string name) : path(std::move(name)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, path.data(), path.size());
    if (path[0] == '@') own.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&own), length) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  Supervisor(const Supervisor&) = delete;
  ~Supervisor() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd);
    ::unlink(path.c_str());
  }
  std::string received() const {
    char text[100];
    const auto n = ::recv(fd, text, sizeof text, MSG_DONTWAIT);
    return n < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(n));
  }
  std::string path;
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};
}  // namespace

TEST_CASE("a supervisor is told, by a socket in the file system or an abstract one") {
  const auto pid = std::to_string(::getpid());
  for (const auto& path : {"/tmp/weft-notify-test-" + pid, "@weft-notify-test-" + pid}) {
    const Supervisor supervisor(path);
    io::notify_supervisor("READY=1");
    CHECK(supervisor.received() == "READY=1");
  }
}

TEST_CASE("without a supervisor, or with a broken name, nothing happens") {
  io::notify_supervisor("READY=1");
  for (const auto& bad :
       {std::string(), std::string("relative"), "/" + std::string(200, 'x'), std::string("/nobody")}) {
    ::setenv("NOTIFY_SOCKET", bad.c_str(), 1);
    io::notify_supervisor("READY=1");
  }
  ::unsetenv("NOTIFY_SOCKET");
}
