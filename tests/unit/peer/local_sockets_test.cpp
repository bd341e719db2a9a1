#include "weft/peer/local_sockets.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
namespace fs = std::filesystem;

namespace {

/// A socket file, listened on until it is closed.
int listen_on(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(fd, 1) == 0);
  return fd;
}
void make_old(const fs::path& path) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(1));
}

}  // namespace

TEST_CASE("only old sockets that nobody listens on are removed") {
  test::TempDir folder;
  const fs::path root = folder.path();
  const int live = listen_on(root / "live.c");
  ::close(listen_on(root / "dead.c"));
  ::close(listen_on(root / "dead.p"));
  ::close(listen_on(root / "young.c"));
  ::close(listen_on(root / "notify"));
  std::ofstream(root / "file.c") << "no socket";
  for (const auto* name : {"live.c", "dead.c", "dead.p", "notify", "file.c"}) make_old(root / name);
  peer::remove_dead_sockets(root);
  for (const auto* name : {"live.c", "young.c", "notify", "file.c"}) {
    CAPTURE(name);
    CHECK(fs::exists(root / name));
  }
  CHECK_FALSE(fs::exists(root / "dead.c"));
  CHECK_FALSE(fs::exists(root / "dead.p"));
  peer::remove_dead_sockets(root / "no such folder");
  ::close(live);
}
