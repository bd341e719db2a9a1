#include "node/background.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weft::node {
namespace {

Error failed(const char* what) { return {codes::io_failed, std::string(what) + ": " + std::strerror(errno)}; }

/// The code that came through the pipe, else how the child ended.
int outcome(int pipe, pid_t child) {
  unsigned char code = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipe, &code, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) return code;
  int status = 0;
  (void)::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

}  // namespace

Result<void> Background::detach() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed("pipe");
  const pid_t child = ::fork();
  if (child < 0) return failed("fork");
  if (child > 0) {
    ::close(ends[1]);
    ::_exit(outcome(ends[0], child));
  }
  ::close(ends[0]);
  pipe_ = ends[1];
  (void)::setsid();
  return {};
}

void Background::release(int exit_code) noexcept {
  if (pipe_ < 0) return;
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    (void)::dup2(null, STDIN_FILENO);
    (void)::dup2(null, STDOUT_FILENO);
    ::close(null);
  }
  const auto code = static_cast<unsigned char>(exit_code);
  (void)!::write(pipe_, &code, 1);
  ::close(std::exchange(pipe_, -1));
}

Background::~Background() {
  if (pipe_ >= 0) ::close(pipe_);
}

Result<void> send_stderr_to(const std::string& log) {
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return Error(codes::io_failed, "cannot open " + log + ": " + std::strerror(errno));
  (void)::dup2(fd, STDERR_FILENO);
  ::close(fd);
  return {};
}

}  // namespace weft::node
