// Addresses, defaults and verdicts.
#include "agents/probe/target.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace weft::probe {

namespace {
/// The text that is wrong with `address`, or empty.
std::string split_address(const std::string& address, Target& target) {
  const auto colon = address.rfind(':');
  const auto wanted = "tcp: wanted host:port such as db.lan:5432, got '" + address + "'";
  if (colon == std::string::npos || colon == 0) return wanted;
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return wanted + " (an IPv6 address goes into brackets)";
  }
  unsigned port = 0;
  const char *begin = address.data() + colon + 1, *end = address.data() + address.size();
  const auto [stop, failure] = std::from_chars(begin, end, port);
  if (failure != std::errc() || stop != end || port == 0 || port > 65535 || host.empty()) return wanted;
  target.host = std::move(host);
  target.port = static_cast<std::uint16_t>(port);
  return {};
}

std::string filled_in(std::string text, const std::string& address) {
  constexpr std::string_view mark = "{address}";
  if (const auto at = text.find(mark); at != std::string::npos) text.replace(at, mark.size(), address);
  return text;
}

std::string complete(const TargetSettings& settings, const Defaults& defaults, Target& target) {
  if (auto name = check_name("name", settings.name); !name) return name.error().message;
  if (settings.tcp.empty() == settings.http.empty()) return "wanted one of 'tcp' and 'http'";
  target.name = settings.name;
  target.address = filled_in(settings.tcp.empty() ? settings.http : settings.tcp, defaults.host_address);
  target.period = settings.period.value_or(defaults.period);
  target.timeout = settings.timeout.value_or(defaults.timeout);
  target.rise = settings.rise.value_or(defaults.rise);
  target.fall = settings.fall.value_or(defaults.fall);
  target.severity = settings.severity.value_or(defaults.severity);
  target.status = settings.status;
  target.contains = settings.contains;
  if (target.period <= Duration::zero() || target.timeout <= Duration::zero())
    return "period and timeout must be over 0";
  if (target.rise < 1 || target.fall < 1) return "rise and fall must be at least 1";
  if (!settings.tcp.empty()) {
    if (!settings.status.empty() || !settings.contains.empty()) return "'status' and 'contains' are for http";
    return split_address(target.address, target);
  }
  if (!settings.http.starts_with("http://")) return "http: wanted http://host:port/path, got '" + settings.http + "'";
  target.url = target.address;
  return {};
}
}  // namespace

Result<std::vector<Target>> targets_of(const std::vector<TargetSettings>& settings, const Defaults& defaults) {
  std::vector<Target> targets(settings.size());
  std::set<std::string> names;
  std::string wrong;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    auto what = complete(settings[i], defaults, targets[i]);
    if (what.empty() && !names.insert(settings[i].name).second) what = "the name is used twice";
    if (!what.empty()) wrong += (wrong.empty() ? "" : "; ") + ("target '" + settings[i].name + "': " + what);
  }
  if (!wrong.empty()) return Error(codes::bad_value, wrong);
  return targets;
}

Result<void> judge(const Target& target, int status, std::string_view body) {
  const auto& good = target.status;
  const bool fine =
      good.empty() ? status >= 200 && status < 400 : std::find(good.begin(), good.end(), status) != good.end();
  if (!fine) return Error(codes::bad_value, "answered with status " + std::to_string(status));
  if (body.find(target.contains) == std::string_view::npos)
    return Error(codes::bad_value, "the answer does not contain '" + target.contains + "'");
  return {};
}

}  // namespace weft::probe
