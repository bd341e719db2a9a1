#include "weft/io/notify.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;
using Messages = std::vector<std::string>;

namespace {
/// A supervisor's socket. `name` begins with '/' or '@'.
struct Supervisor {
  explicit Supervisor(std::string name) : path(std::move(name)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  Supervisor(const Supervisor&) = delete;
  ~Supervisor() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd);
    ::unlink(path.c_str());
  }
  /// What has arrived, a datagram each.
  Messages received() const {
    Messages out;
    char text[1000];
    for (ssize_t n = 0; (n = ::recv(fd, text, sizeof text, MSG_DONTWAIT)) >= 0;)
      out.emplace_back(text, static_cast<std::size_t>(n));
    return out;
  }
  std::string path;
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

std::string socket_path() { return "/tmp/weft-notify-test-" + std::to_string(::getpid()); }

/// Sends until the queue of the supervisor holds no more; returns how many messages it held.
std::size_t fill() {
  weft::test::ManualLoop loop;
  io::Notifier others(loop);
  for (std::size_t n = 0;; ++n) {
    others.send("OTHER=" + std::to_string(n));
    if (others.waiting() > 0) return n;
  }
}
}  // namespace

TEST_CASE("a supervisor is notified, by a socket in the file system or an abstract one") {
  for (const auto& path : {socket_path(), "@" + socket_path()}) {
    const Supervisor supervisor(path);
    weft::test::ManualLoop loop;
    io::Notifier notifier(loop);
    notifier.send("READY=1");
    CHECK(notifier.waiting() == 0);
    CHECK(supervisor.received() == Messages{"READY=1"});
  }
}

TEST_CASE("what does not fit into the supervisor's queue is sent when there is room, and in order") {
  const Supervisor supervisor(socket_path());
  const auto held = fill();
  weft::test::ManualLoop loop;
  io::Notifier notifier(loop);
  notifier.send("STATUS=loading");
  notifier.send("READY=1");
  CHECK(notifier.waiting() == 2);
  loop.advance(10s);
  CHECK(notifier.waiting() == 2);
  CHECK(supervisor.received().size() == held);
  loop.advance(100ms);
  CHECK(notifier.waiting() == 0);
  CHECK(supervisor.received() == Messages{"STATUS=loading\nREADY=1"});
  notifier.send("WATCHDOG=1");
  CHECK(supervisor.received() == Messages{"WATCHDOG=1"});
}

TEST_CASE("a waiting message is replaced by the next of its name, so that what waits is bounded") {
  const Supervisor supervisor(socket_path());
  fill();
  weft::test::ManualLoop loop;
  io::Notifier notifier(loop);
  notifier.send("READY=1");
  for (int i = 0; i < 1000; ++i) notifier.send("STATUS=" + std::to_string(i));
  CHECK(notifier.waiting() == 2);
  (void)supervisor.received();
  loop.advance(100ms);
  CHECK(supervisor.received() == Messages{"READY=1\nSTATUS=999"});
}

TEST_CASE("a status of several lines is one message, and a long one is cut at a character") {
  const Supervisor supervisor(socket_path());
  weft::test::ManualLoop loop;
  io::Notifier notifier(loop);
  notifier.send("STATUS=a\nREADY=1");
  CHECK(supervisor.received() == Messages{"STATUS=a READY=1"});
  std::string umlauts = "STATUS=";
  for (int i = 0; i < 400; ++i) umlauts += "ü";
  notifier.send(umlauts);
  CHECK(supervisor.received() == Messages{umlauts.substr(0, 511)});
}

TEST_CASE("a supervisor that is replaced gets what its predecessor could not take") {
  weft::test::ManualLoop loop;
  std::unique_ptr<io::Notifier> notifier;
  {
    const Supervisor first(socket_path());
    fill();
    notifier = std::make_unique<io::Notifier>(loop);
    notifier->send("READY=1");
  }
  loop.advance(5s);
  CHECK(notifier->waiting() == 1);
  const Supervisor second(socket_path());
  loop.advance(1s);
  CHECK(second.received() == Messages{"READY=1"});
}

TEST_CASE("a process without a free descriptor still notifies its supervisor") {
  const Supervisor supervisor(socket_path());
  weft::test::ManualLoop loop;
  io::Notifier notifier(loop);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(::open("/dev/null", O_RDONLY | O_CLOEXEC) < 0);
  notifier.send("WATCHDOG=1");
  CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(supervisor.received() == Messages{"WATCHDOG=1"});
}

TEST_CASE("without a supervisor, or with a name that is no address, nothing is sent and nothing waits") {
  weft::test::ManualLoop loop;
  ::unsetenv("NOTIFY_SOCKET");
  io::Notifier none(loop);
  none.send("READY=1");
  CHECK(none.waiting() == 0);
  for (const auto& bad : {std::string(), std::string("relative"), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", bad.c_str(), 1);
    io::Notifier notifier(loop);
    notifier.send("READY=1");
    CHECK(notifier.waiting() == 0);
  }
  ::unsetenv("NOTIFY_SOCKET");
}
