// Request: byte 0xff, 16 hexadecimal digits of the subscriber, 8 of the number, 'b' or 'l', 'e' (a whole topic) or 'p'
// (a prefix), the topic or prefix. No topic begins with that byte, and ZeroMQ repeats subscriptions in the order of
// their bytes after a connection is made: the requests come after the filters they are about.
#include <array>
#include <charconv>
#include <cstdio>

#include "weft/net/net.hpp"

namespace weft::net {
namespace {

constexpr char kFirst = '\xff';
constexpr std::size_t kFixed = 1 + 16 + 8 + 2;

template <class T>
bool read_hex(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string Request::address() const {
  const bool exact = !filter.empty() && filter.back() == '\0';
  std::array<char, kFixed + 1> fixed{};
  std::snprintf(fixed.data(), fixed.size(), "%c%016llx%08lx%c%c", kFirst, static_cast<unsigned long long>(subscriber),
                static_cast<unsigned long>(number), last_values ? 'l' : 'b', exact ? 'e' : 'p');
  return fixed.data() + filter.substr(0, filter.size() - (exact ? 1 : 0));
}

std::optional<Request> Request::parse(std::string_view address) {
  if (address.size() < kFixed || address.size() > kFixed + kTopicMax || address[0] != kFirst) return std::nullopt;
  Request request;
  if (!read_hex(address.substr(1, 16), request.subscriber) || !read_hex(address.substr(17, 8), request.number))
    return std::nullopt;
  if ((address[25] != 'l' && address[25] != 'b') || (address[26] != 'e' && address[26] != 'p')) return std::nullopt;
  request.last_values = address[25] == 'l';
  request.filter = address.substr(kFixed);
  if (address[26] == 'e') request.filter += '\0';
  return request;
}

}  // namespace weft::net
