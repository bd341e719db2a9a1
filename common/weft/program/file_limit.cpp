#include "weft/program/file_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace weft::program {

std::uint64_t file_limit(std::uint64_t soft, std::uint64_t hard) noexcept {
  return std::max(soft, std::min(kFilesWanted, hard));
}

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = file_limit(limit.rlim_cur, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace weft::program
