#include "weft/io/url.hpp"

#include <algorithm>
#include <charconv>

namespace weft::io {
namespace {

Error bad_url(std::string_view url, std::string_view why) {
  return Error(codes::bad_address, "'" + std::string(url) + "': " + std::string(why),
               "wanted http://host, http://host:port or http://host:port/path");
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      unsigned byte = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, failed] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      if (failed != std::errc() || end != text.data() + i + 3) return std::nullopt;
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return std::nullopt;
  const auto mark = target.find('?');
  auto path = percent_decode(target.substr(0, mark), false);
  if (!path) return std::nullopt;
  Target out{std::move(*path), {}};
  if (mark == std::string_view::npos) return out;
  for (const auto pair : split(target.substr(mark + 1), '&')) {
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    if (!name->empty()) out.query.insert_or_assign(std::move(*name), std::move(*value));
  }
  return out;
}

Result<HttpUrl> parse_http_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return bad_url(url, "does not begin with http://");
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c == '\x7f'; }))
    return bad_url(url, "has a space or a control character in it");
  auto rest = url.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  HttpUrl out;
  if (authority.size() < rest.size()) out.target = std::string(rest.substr(authority.size()));
  if (out.target.front() == '?') out.target.insert(0, 1, '/');
  if (authority.find('@') != std::string_view::npos) return bad_url(url, "a user name is not supported");

  const bool bracketed = authority.starts_with('[');
  const auto bracket = authority.find(']');
  if (bracketed && bracket == std::string_view::npos) return bad_url(url, "a ']' is missing");
  const auto colon = authority.find(':', bracketed ? bracket : 0);
  const auto host = authority.substr(0, colon);
  out.host = bracketed ? std::string(host.substr(1, bracket - 1)) : std::string(host);
  if (out.host.empty()) return bad_url(url, "the host is missing");
  if (colon != std::string_view::npos) out.port = std::string(authority.substr(colon + 1));
  if (!is_port(out.port)) return bad_url(url, "the port is no number from 1 to 65535");
  out.host_header = std::string(authority);
  return out;
}

}  // namespace weft::io
