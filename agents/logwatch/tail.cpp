// Descriptors and offsets.
#include "agents/logwatch/tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weft::logwatch {

namespace {
constexpr std::size_t kHeadMax = 256;
constexpr std::size_t kChunk = 64 * 1024;

std::string read_head(int fd, std::size_t size) {
  std::string head(size, '\0');
  const auto got = ::pread(fd, head.data(), size, 0);
  head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return head;
}

/// Without O_NONBLOCK the open of a pipe would wait for its writer.
Result<int> open_regular(const std::string& path, struct stat& found) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const auto kind = errno == ENOENT ? ErrorKind::not_found : ErrorKind::internal;
    Error error(codes::io_failed, path + ": cannot open: " + std::strerror(errno));
    error.kind = kind;
    return error;
  }
  if (::fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) return fd;
  ::close(fd);
  return Error(codes::bad_value, path + ": no regular file");
}
}  // namespace

Tail::Tail(int fd, std::string at, Identity identity, std::size_t line_max, std::uint64_t offset, bool skipping)
    : path(std::move(at)),
      fd_(fd),
      identity_(identity),
      line_max_(line_max),
      lines_(line_max, offset, skipping),
      read_to_(offset) {
  learn_head();
}

Tail::Tail(Tail&& other) noexcept
    : path(std::move(other.path)),
      fd_(std::exchange(other.fd_, -1)),
      identity_(other.identity_),
      line_max_(other.line_max_),
      lines_(std::move(other.lines_)),
      read_to_(other.read_to_),
      head_(std::move(other.head_)),
      truncations_(other.truncations_) {}

Tail::~Tail() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Tail> Tail::open(const std::string& path, From from, std::size_t line_max) {
  struct stat found {};
  auto fd = open_regular(path, found);
  if (!fd) return fd.error();
  const auto offset = from == From::end ? static_cast<std::uint64_t>(found.st_size) : 0;
  return Tail(*fd, path, {found.st_dev, found.st_ino}, line_max, offset, false);
}

Result<Tail> Tail::resume(const std::string& path, const Position& position, std::size_t line_max) {
  struct stat found {};
  auto fd = open_regular(path, found);
  if (!fd) return fd.error();
  const bool same = found.st_ino == position.inode && static_cast<std::uint64_t>(found.st_size) >= position.offset &&
                    position.head_size <= kHeadMax &&
                    to_hex(fnv1a(read_head(*fd, position.head_size))) == position.head;
  return Tail(*fd, path, {found.st_dev, found.st_ino}, line_max, same ? position.offset : 0, same && position.skipping);
}

void Tail::learn_head() {
  if (head_.size() < kHeadMax) head_ = read_head(fd_, std::min<std::uint64_t>(kHeadMax, read_to_));
}

void Tail::notice_truncation(const LineSplitter::OnLine& on_line) {
  struct stat found {};
  if (::fstat(fd_, &found) != 0) return;
  const bool shorter = static_cast<std::uint64_t>(found.st_size) < read_to_;
  if (!shorter && read_head(fd_, head_.size()) == head_) return;
  lines_.finish(on_line);
  lines_ = LineSplitter(line_max_, 0, false);
  read_to_ = 0;
  head_.clear();
  ++truncations_;
}

std::size_t Tail::read(std::size_t budget, const LineSplitter::OnLine& on_line) {
  notice_truncation(on_line);
  std::size_t total = 0;
  std::string chunk(std::min(budget, kChunk), '\0');
  while (total < budget) {
    const auto got = ::pread(fd_, chunk.data(), std::min(chunk.size(), budget - total), static_cast<off_t>(read_to_));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    read_to_ += static_cast<std::uint64_t>(got);
    total += static_cast<std::size_t>(got);
    lines_.feed(std::string_view(chunk.data(), static_cast<std::size_t>(got)), on_line);
  }
  if (total > 0) learn_head();
  return total;
}

Position Tail::position() const {
  return {path,         identity_.device,    identity_.inode, lines_.offset(), lines_.skipping(),
          head_.size(), to_hex(fnv1a(head_))};
}

}  // namespace weft::logwatch
