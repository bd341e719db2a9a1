#include "node/claims.hpp"

#include <algorithm>
#include <charconv>

#include "weft/base/files.hpp"

namespace weft::node {
namespace {

constexpr std::size_t kClaimBytesMax = 4096;

/// 0 when there is none.
std::uint64_t stored_term(const std::string& file) {
  const auto text = read_regular_file(file, kClaimBytesMax);
  const std::string line = text && *text ? (*text)->substr(0, (*text)->find('\n')) : "";
  std::uint64_t term = 0;
  const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), term);
  const bool whole = failure == std::errc() && end == line.data() + line.size();
  return whole && term <= Claims::kTermMax ? term : 0;
}

}  // namespace

Result<Claims> Claims::begin(const std::string& file, WallTime now) {
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, to_us(now) / 1'000'000));
  const std::uint64_t term = std::max(stored_term(file) + 1, std::min(seconds, kTermMax));
  if (auto written = replace_file(file, std::to_string(term) + "\n", Sync::yes); !written) return written.error();
  return Claims(term);
}

Result<std::unique_ptr<Process>> ClaimingLauncher::launch(const Command& command, OnExit on_exit) {
  Command claiming = command;
  claiming.env.push_back("WEFT_CLAIM=" + std::to_string(claims_.next()));
  return launcher_.launch(claiming, std::move(on_exit));
}

}  // namespace weft::node
