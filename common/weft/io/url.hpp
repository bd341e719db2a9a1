// URLs, as far as this room needs them. Pure. Private to io.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::io {

/// "%41+" becomes "A+", or "A " where `plus_is_space`; none for a broken escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};
/// The target of a request line: "/path?name=value". None when it is none.
std::optional<Target> parse_target(std::string_view target);

struct HttpUrl {
  std::string host;  ///< without the brackets of an IPv6 address
  std::string port = "80";
  std::string target = "/";
  std::string host_header;
};
/// http:// only, without user and password. Errors: `bad_address`.
Result<HttpUrl> parse_http_url(std::string_view url);

}  // namespace weft::io
