// How many files a process may open. Private to program.
#pragma once
#include <cstdint>

namespace weft::program {

/// Shells give 1024, which a few hundred peers exhaust. An idle connection of a stranger costs 30 KB: at most 0.5 GB.
inline constexpr std::uint64_t kFilesWanted = 16'384;

/// The soft limit for a process that was started with these: kFilesWanted where the hard limit allows it, never less
/// than it had.
std::uint64_t file_limit(std::uint64_t soft, std::uint64_t hard) noexcept;
/// Raises the soft limit of this process (RLIMIT_NOFILE).
void raise_file_limit() noexcept;

}  // namespace weft::program
