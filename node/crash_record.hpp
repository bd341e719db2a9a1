// CrashRecord: what a process wrote when it crashed, read back and put into words. docs/protocol.md describes the file.
// Private to node.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/result.hpp"
#include "weft/base/stack_text.hpp"

namespace weft::node {

struct CrashRecord {
  pid_t pid = 0;
  std::int64_t started = 0;              ///< Unix time in seconds
  std::string thread;                    ///< "4712 worker-3"
  std::string exception, what;           ///< of the exception that ended the process; may be empty
  int signal = 0;                        ///< 0: it ended without one
  std::optional<std::uint64_t> address;  ///< that could not be accessed or executed
  std::uint64_t pc = 0, sp = 0;
  std::vector<CodeAddress> frames;  ///< innermost first, at most 64

  /// The stack ran into its end, as far as can be seen from the address.
  bool stack_overflow() const noexcept;
};

inline constexpr std::size_t kCrashRecordMax = 128 * 1024;  ///< bytes

/// Lines that are not understood are skipped; a record that was cut off has what came before. Errors: `bad_encoding`
/// when it is no record at all.
Result<CrashRecord> parse_crash_record(std::string_view text);

/// "SIGSEGV"; "signal 77" for one without a name.
std::string signal_name(int number);

}  // namespace weft::node
