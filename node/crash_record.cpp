#include "node/crash_record.hpp"

#include <signal.h>

#include <charconv>
#include <cstring>

#include "weft/base/codes.hpp"
#include "weft/base/text.hpp"

namespace weft::node {
namespace {

constexpr std::size_t kFramesMax = 64;
constexpr std::string_view kMagic = "weft-crash 1\n";

template <class T>
T number(std::string_view text, int base = 10) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  T out{};
  (void)std::from_chars(text.data(), text.data() + text.size(), out, base);
  return out;
}

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

void take_line(CrashRecord& record, std::string_view line) {
  const auto key = first_word(line);
  const auto value = line.substr(std::min(key.size() + 1, line.size()));
  if (key == "pid") record.pid = number<pid_t>(value);
  if (key == "started") record.started = number<std::int64_t>(value);
  if (key == "thread") record.thread = std::string(value.substr(0, 64));
  if (key == "exception") record.exception = std::string(value.substr(0, 512));
  if (key == "what") record.what = std::string(value.substr(0, 2048));
  if (key == "signal") record.signal = number<int>(first_word(value));
  if (key == "address") record.address = number<std::uint64_t>(value, 16);
  if (key == "pc") record.pc = number<std::uint64_t>(value, 16);
  if (key == "sp") record.sp = number<std::uint64_t>(value, 16);
  if (key != "frame" || record.frames.size() == kFramesMax) return;
  const auto address = first_word(value);
  const auto file = value.substr(std::min(address.size() + 1, value.size()));
  record.frames.push_back({number<std::uint64_t>(address, 16), std::string(file.substr(0, 4096))});
}

}  // namespace

bool CrashRecord::stack_overflow() const noexcept {
  constexpr std::uint64_t kNear = 64 * 1024;  // a frame may be large
  if (signal != SIGSEGV || !address || sp == 0) return false;
  return *address + kNear > sp && *address < sp + kNear;
}

Result<CrashRecord> parse_crash_record(std::string_view text) {
  if (!text.starts_with(kMagic)) return Error(codes::bad_encoding, "it is not a record of a crash");
  CrashRecord record;
  for (const auto line : split(text.substr(kMagic.size()), '\n')) {
    if (line == "end") break;
    take_line(record, line);
  }
  return record;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name ? std::string("SIG") + name : "signal " + std::to_string(number);
}

}  // namespace weft::node
