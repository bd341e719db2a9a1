#include "weft/io/host_name.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "weft/base/text.hpp"

namespace weft::io {
namespace {

/// In lower case, without the port and the dot of a full name.
std::string bare_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return to_lower(host.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

const std::string& own_name() {
  static const std::string name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? to_lower(text.data()) : std::string();
  }();
  return name;
}

bool is_address(const std::string& name) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(name, failed);
  return !failed;
}

}  // namespace

bool is_own_host(std::string_view host, const std::vector<std::string>& names) {
  if (host.empty()) return true;
  const std::string name = bare_name(host);
  if (name.find('.') == std::string::npos || name.ends_with(".local") || name.ends_with(".localhost")) return true;
  if (is_address(name) || name == own_name()) return true;
  return std::any_of(names.begin(), names.end(), [&](const auto& one) { return one == "*" || to_lower(one) == name; });
}

}  // namespace weft::io
