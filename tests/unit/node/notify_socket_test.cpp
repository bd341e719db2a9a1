#include "node/notify_socket.hpp"

#include <unistd.h>

#include <cstdlib>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/io/io.hpp"

using namespace weft;
using namespace weft::node;

TEST_CASE("lines of a notification are read, and unknown names are skipped") {
  const auto said = parse_notification("READY=1\nMAINPID=7\nSTATUS=two words\nWATCHDOG=1\n");
  CHECK(said.ready);
  CHECK(said.watchdog);
  CHECK(said.status == "two words");
  CHECK_FALSE(parse_notification("READY=0\nready=1").ready);
}

TEST_CASE("drain hands over everything that waits in the socket, with the sender's pid") {
  const weft::test::TempDir folder;
  const std::string path = folder / "notify.sock";
  weft::test::ManualLoop loop;
  std::vector<Notification> received;
  auto socket = NotifySocket::open(loop, path, [&](const Notification& one) { received.push_back(one); });
  REQUIRE(socket);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  std::vector<std::unique_ptr<io::Notifier>> senders;
  while (senders.empty() || senders.back()->waiting() == 0) {
    senders.push_back(std::make_unique<io::Notifier>(loop));
    senders.back()->send("READY=1");
  }
  ::unsetenv("NOTIFY_SOCKET");
  CHECK(received.empty());
  (*socket)->drain();
  REQUIRE(received.size() == senders.size() - 1);
  for (const auto& one : received) CHECK((one.ready && one.pid == ::getpid()));
  loop.advance(100ms);  // the last sender found the queue full and tries again
  CHECK(received.size() == senders.size());
}

TEST_CASE("a path that is too long for a socket is refused with the option that shortens it") {
  weft::test::ManualLoop loop;
  auto socket = NotifySocket::open(loop, "/tmp/" + std::string(120, 'x'), [](const Notification&) {});
  REQUIRE_FALSE(socket);
  CHECK(socket.error().is(codes::bad_address));
  CHECK(socket.error().describe().find("--run") != std::string::npos);
}
