// Reading and replacing the file of positions.
#include "agents/logwatch/positions.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weft::logwatch {

namespace {
Error failed(const std::string& file, const char* doing) {
  const int why = errno;
  const bool full = why == ENOSPC || why == EDQUOT;
  return Error(full ? codes::disk_full : codes::io_failed, file + ": cannot " + doing + ": " + std::strerror(why));
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}
}  // namespace

std::string hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto place = text.rbegin(); place != text.rend(); ++place, hash >>= 4) *place = digits[hash & 15];
  return text;
}

Result<Positions> load_positions(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return Positions{};
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed(file, "open");
  std::stringstream text;
  text << in.rdbuf();
  const std::string all = text.str();
  const std::string_view document = std::string_view(all).substr(0, all.find('\n'));
  if (document.size() < all.size() && all.substr(document.size() + 1) != hash_of(document) + "\n")
    return Error(codes::bad_encoding, file + ": it is not as it was written: its sum is another");
  auto value = from_json(document);
  if (!value) return Error(codes::bad_encoding, file + ": " + value.error().message);
  auto positions = from_value<Positions>(*value);
  if (!positions) return Error(codes::bad_encoding, file + ": " + positions.error().message);
  return positions;
}

Result<void> save_positions(const std::string& file, const Positions& positions) {
  const std::string fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed(fresh, "create");
  const std::string document = to_json(to_value(positions));
  const bool written = write_all(fd, document + "\n" + hash_of(document) + "\n");
  Result<void> outcome;
  if (!written) outcome = failed(fresh, "write");
  if (::close(fd) != 0 && written) outcome = failed(fresh, "close");
  if (outcome && ::rename(fresh.c_str(), file.c_str()) != 0) outcome = failed(file, "replace");
  return outcome;
}

}  // namespace weft::logwatch
