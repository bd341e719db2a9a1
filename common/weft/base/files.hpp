// Files of state: opened so that nothing found at their path can hold a process up, read within a limit, and moved
// aside when they are damaged. Thread-safe.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weft/base/clock.hpp"
#include "weft/base/result.hpp"

namespace weft {

/// Opens a regular file with `flags` of open(2); a FIFO, a device or a directory is refused at once instead of waited
/// for. Symbolic links are followed, unless `flags` has O_NOFOLLOW. The caller closes the descriptor. Errors:
/// `io_failed`, `disk_full` (the file would have to be created).
Result<int> open_regular_file(const std::string& path, int flags, mode_t mode = 0600);

/// The content of a regular file; empty optional: there is no such file. Errors: `io_failed`; `too_large`, found by the
/// file's size before anything is read.
Result<std::optional<std::string>> read_regular_file(const std::string& path, std::size_t bytes_max);

enum class Sync : std::uint8_t { no, yes };
/// Writes <path>.new, for its owner only, and renames it: the old file stays whole when this fails. `yes`: the new one
/// survives a power cut. Errors: `io_failed`, `disk_full`.
Result<void> replace_file(const std::string& path, std::string_view content, Sync sync = Sync::no);

/// So that renaming `path` survives a power cut. False: errno says why.
bool sync_folder_of(const std::string& path) noexcept;

/// What a damaged file is renamed to: <path>.damaged-<RFC 3339 UTC, with '-' for ':'>, and a number when that exists.
std::string damaged_name(const std::string& path, WallTime now);

}  // namespace weft
