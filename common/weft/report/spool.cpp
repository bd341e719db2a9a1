#include "weft/report/spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "weft/base/crc32.hpp"
#include "weft/base/files.hpp"

namespace weft::report {
namespace {

constexpr std::string_view kMagic = "WFSPOOL1";
constexpr std::uint64_t kFileHead = 16;
constexpr std::uint64_t kFrameHead = 8;
constexpr std::uint64_t kBodyMax = 1024 * 1024;  // a larger length is damage, not an event

template <class T>
void put(std::byte* at, T number) {
  for (std::size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::byte>((number >> (8 * i)) & 0xFF);
}
template <class T>
T get(const std::byte* at) {
  T number = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) number |= static_cast<T>(static_cast<T>(at[i]) << (8 * i));
  return number;
}

bool read_all(int fd, std::byte* to, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const auto got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// False: errno says why.
bool write_all(int fd, BytesView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

Error Spool::failed(const char* doing) const {
  const int why = errno;
  return Error(why == ENOSPC || why == EDQUOT ? codes::disk_full : codes::io_failed,
               std::string("cannot ") + doing + " the error spool " + file_ + ": " + std::strerror(why));
}

Result<void> Spool::open() {
  if (is_open()) return {};
  std::error_code ignored;  // opening the file reports what is wrong
  std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
  for (;;) {
    auto created = open_regular_file(file_, O_RDWR | O_CREAT | O_EXCL);
    auto opened = created ? created : open_regular_file(file_, O_RDWR | O_CREAT);
    if (!opened) return opened.error();
    fd_ = *opened;
    auto prepared = prepare(created.has_value());
    if (prepared && *prepared) return {};
    ::close(std::exchange(fd_, -1));
    if (!prepared) return prepared.error();
  }
}

/// False: the file is not a spool, and was moved aside.
Result<bool> Spool::prepare(bool is_new) {
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return Error(codes::already_running, "another process has the error spool " + file_);
  }
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("read");
  end_ = static_cast<std::uint64_t>(info.st_size);
  if (is_new) {
    if (auto begun = begin_new(); !begun) return begun.error();
    return true;
  }
  std::array<std::byte, kFileHead> head{};
  if (end_ < kFileHead || !read_all(fd_, head.data(), head.size(), 0) ||
      as_text(head).substr(0, kMagic.size()) != kMagic) {
    ++damaged_;  // it was something; now it is nothing that can be sent
    if (::rename(file_.c_str(), damaged_name(file_, SystemClock().wall()).c_str()) != 0) return failed("move aside");
    return false;
  }
  begin_ = get<std::uint64_t>(head.data() + kMagic.size());
  if (begin_ < kFileHead || begin_ > end_) begin_ = kFileHead;  // sending twice is harmless
  scan();
  return true;
}

Result<void> Spool::begin_new() {
  std::array<std::byte, kFileHead> head{};
  std::memcpy(head.data(), kMagic.data(), kMagic.size());
  put(head.data() + kMagic.size(), kFileHead);
  if (::ftruncate(fd_, 0) != 0 || !write_all(fd_, head, 0)) return failed("write");
  begin_ = read_at_ = end_ = kFileHead;
  held_.clear();
  unread_ = 0;
  return {};
}

/// Counts the whole frames, and cuts off what follows them.
void Spool::scan() {
  read_at_ = begin_;
  unread_ = 0;
  std::uint64_t at = begin_;
  while (auto frame = frame_at(at)) {
    ++(frame->body ? unread_ : damaged_);
    at += frame->size;
  }
  if (at == end_) return;
  ++damaged_;
  end_ = at;
  if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return;  // then the next append writes over it
}

std::optional<Spool::Frame> Spool::frame_at(std::uint64_t offset) const {
  std::array<std::byte, kFrameHead> head{};
  if (offset + kFrameHead > end_ || !read_all(fd_, head.data(), head.size(), offset)) return std::nullopt;
  const auto size = get<std::uint32_t>(head.data());
  if (size == 0 || size > kBodyMax || offset + kFrameHead + size > end_) return std::nullopt;
  Bytes body(size);
  if (!read_all(fd_, body.data(), size, offset + kFrameHead)) return std::nullopt;
  Frame frame{kFrameHead + size, std::nullopt};
  if (crc32(body) == get<std::uint32_t>(head.data() + 4)) frame.body = std::move(body);
  return frame;
}

Result<void> Spool::append(const ErrorEvent& event, bool held) {
  const Bytes body = to_msgpack(to_value(event));
  if (body.size() > kBodyMax || end_ + kFrameHead + body.size() > bytes_max_) {
    return Error(codes::too_large,
                 "the error spool " + file_ + " is full: at most " + std::to_string(bytes_max_) + " bytes are allowed");
  }
  Bytes frame(kFrameHead + body.size());
  put(frame.data(), static_cast<std::uint32_t>(body.size()));
  put(frame.data() + 4, crc32(body));
  std::memcpy(frame.data() + kFrameHead, body.data(), body.size());
  if (!write_all(fd_, frame, end_)) {
    auto error = failed("write");
    if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return error;  // the next append writes over it
    return error;
  }
  end_ += frame.size();
  if (held) {
    held_.push_back(frame.size());
    read_at_ = end_;
  } else {
    ++unread_;
  }
  return {};
}

std::optional<ErrorEvent> Spool::read() {
  std::uint64_t size = 0;
  while (unread_ > 0) {
    auto frame = frame_at(read_at_);
    if (!frame) {  // the disk gave it back before, and does not now: nothing behind it can be found
      damaged_ += std::exchange(unread_, 0);
      break;
    }
    size += frame->size;
    read_at_ += frame->size;
    if (!frame->body) continue;  // counted by scan()
    --unread_;
    auto value = from_msgpack(*frame->body);
    auto event = value ? from_value<ErrorEvent>(*value) : Result<ErrorEvent>(value.error());
    if (event) {
      held_.push_back(size);
      return std::move(*event);
    }
    ++damaged_;
  }
  if (unread_ == 0 && held_.empty()) drop(0);
  return std::nullopt;
}

void Spool::drop(std::size_t events) {
  for (; events > 0 && !held_.empty(); --events) {
    begin_ += held_.front();
    held_.pop_front();
  }
  if (held_.empty() && unread_ == 0) {
    if (end_ > kFileHead && begin_new()) return;
    begin_ = read_at_ = end_;
  }
  write_begin();
}

void Spool::write_begin() noexcept {
  std::array<std::byte, 8> number{};
  put(number.data(), begin_);
  if (!write_all(fd_, number, kMagic.size())) return;  // what is sent twice is dropped by its id
}

}  // namespace weft::report
