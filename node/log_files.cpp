#include "node/log_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace weft::node {
namespace {

namespace fs = std::filesystem;

Error failed(const std::string& file, const std::error_code& why) {
  return {why == std::errc::no_space_on_device ? codes::disk_full : codes::io_failed, file + ": " + why.message()};
}

std::string read_range(const std::string& file, std::uint64_t from, std::size_t bytes) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from));
  std::string text(bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

}  // namespace

std::uint64_t log_size(const std::string& file) {
  std::error_code failure;
  const auto size = fs::file_size(file, failure);
  return failure ? 0 : size;
}

std::uint64_t file_number(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
}

bool writes_to(int pid, const std::string& file) {
  struct stat held {};
  struct stat named {};
  const auto descriptor = "/proc/" + std::to_string(pid) + "/fd/2";
  return ::stat(descriptor.c_str(), &held) == 0 && ::stat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

Result<void> rotate_log(const std::string& file, std::uint64_t bytes_max, int keep) {
  if (log_size(file) <= bytes_max) return {};
  std::error_code failure;
  const auto numbered = [&](int n) { return file + "." + std::to_string(n); };
  for (int n = keep; n > 1; --n) {
    if (fs::exists(numbered(n - 1))) fs::rename(numbered(n - 1), numbered(n), failure);
    if (failure) return failed(file, failure);
  }
  fs::copy_file(file, numbered(1), fs::copy_options::overwrite_existing, failure);
  if (failure) return failed(file, failure);
  fs::resize_file(file, 0, failure);  // the writers append, so they go on at the new end
  if (failure) return failed(file, failure);
  return {};
}

LogPage log_tail(const std::string& file, std::size_t lines, std::size_t bytes_max) {
  const auto size = log_size(file);
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes_max));
  std::string text = read_range(file, size - bytes, bytes);
  const auto end = size - bytes + text.size();
  if (bytes < size) {  // begins within a line
    const auto newline = text.find('\n');
    text.erase(0, newline == std::string::npos ? 0 : newline + 1);
  }
  std::size_t from = text.size();
  for (std::size_t seen = 0; from > 0; --from) {
    if (text[from - 1] == '\n' && from != text.size() && ++seen == lines) break;
  }
  return {lines == 0 ? "" : text.substr(from), end};
}

LogPage log_from(const std::string& file, std::uint64_t offset, std::size_t bytes_max) {
  const auto size = log_size(file);
  if (offset > size) offset = 0;
  std::string text =
      read_range(file, offset, static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, bytes_max)));
  const auto newline = text.rfind('\n');
  if (newline != std::string::npos) {
    text.resize(newline + 1);
  } else if (text.size() < bytes_max) {
    text.clear();  // a line that is being written
  }
  return {text, offset + text.size()};
}

}  // namespace weft::node
