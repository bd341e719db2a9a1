#include "weft/peer/local_sockets.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace weft::peer {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds kYoung{10};

bool refuses(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool refused =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

}  // namespace

void remove_dead_sockets(const std::string& directory) noexcept {
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    const auto extension = at->path().extension();
    if ((extension != ".c" && extension != ".p") || !at->is_socket(ignored)) continue;
    const auto written = at->last_write_time(ignored);
    if (!ignored && fs::file_time_type::clock::now() - written > kYoung && refuses(at->path()))
      ::unlink(at->path().c_str());
  }
}

}  // namespace weft::peer
