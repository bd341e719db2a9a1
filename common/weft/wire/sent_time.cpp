#include "weft/wire/sent_time.hpp"

#include <algorithm>
#include <cstring>

namespace weft::wire {
namespace {
constexpr std::string_view kHead = "\x81\xa7sent_us\xcf";
constexpr std::size_t kSendersMax = 65'536;
}  // namespace

std::array<std::byte, 18> sent_extension(WallTime now) noexcept {
  static_assert(kHead.size() == 10);
  std::array<std::byte, 18> out{};
  std::memcpy(out.data(), kHead.data(), kHead.size());
  const auto us = static_cast<std::uint64_t>(to_us(now));
  for (std::size_t i = 0; i < 8; ++i) out[10 + i] = static_cast<std::byte>(us >> (56 - 8 * i));
  return out;
}

std::optional<std::int64_t> sent_us(BytesView extension) {
  if (extension.size() == 18 && as_text(extension).starts_with(kHead)) {
    std::uint64_t us = 0;
    for (std::size_t i = 10; i < 18; ++i) us = us << 8 | static_cast<std::uint64_t>(extension[i]);
    return static_cast<std::int64_t>(us);
  }
  if (extension.empty()) return std::nullopt;
  const auto map = from_msgpack(extension);
  if (!map || !map->is_map()) return std::nullopt;
  const auto found = map->as_map().find("sent_us");
  if (found == map->as_map().end() || found->second.type() != Value::Type::integer) return std::nullopt;
  return found->second.as_int();
}

Duration TransitTimes::excess(std::uint64_t sender, std::int64_t sent, WallTime wall) {
  const std::int64_t now = to_us(wall), took = now - sent;
  if (senders_.size() >= kSendersMax && !senders_.contains(sender)) senders_.clear();
  const auto [at, first] = senders_.try_emplace(sender, Fastest{now, took, took});
  Fastest& fastest = at->second;
  const std::int64_t age = now - fastest.window;
  if (age > kWindowUs) fastest = {now, took, age > 2 * kWindowUs ? took : fastest.here};
  fastest.here = std::min(fastest.here, took);
  return std::chrono::microseconds(took - std::min(fastest.here, fastest.before));
}

}  // namespace weft::wire
