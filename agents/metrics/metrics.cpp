// Names of topics and series.
#include "agents/metrics/metrics.hpp"

namespace weft::metrics {

namespace {
constexpr std::string_view kHead = "host.", kTail = ".metrics";
using Figure = std::function<void(const std::string&, double)>;

std::string segment(std::string_view text) {
  std::string name(text.substr(0, kNameMax));
  for (char& c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!fine) c = '_';
  }
  return name.empty() ? "_" : name;
}

std::string filesystem_name(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return path.empty() ? "root" : segment(path);
}

/// Every double that WEFT_FIELDS lists, under `prefix`.
template <class T>
void each_double(const std::string& prefix, const T& item, const Figure& figure) {
  auto one = [&](const auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(item.*(field.member))>, double>)
      figure(prefix + field.name, item.*(field.member));
  };
  std::apply([&](const auto&... field) { (one(field), ...); }, T::weft_fields());
}
}  // namespace

std::string topic_of(std::string_view host) { return std::string(kHead) + std::string(host) + std::string(kTail); }

std::string_view host_of(std::string_view topic) noexcept {
  if (!topic.starts_with(kHead) || !topic.ends_with(kTail) || topic.size() <= kHead.size() + kTail.size()) return {};
  const auto host = topic.substr(kHead.size(), topic.size() - kHead.size() - kTail.size());
  return host.find('.') == std::string_view::npos ? host : std::string_view{};
}

void each_series(const Host& host, const Figure& figure) {
  if (host.interval > 0) {
    each_double("cpu.", host.cpu, figure);
    for (const auto& [core, busy] : host.cpu.cores) figure("cpu.core." + segment(core), busy);
    for (const auto& [name, disk] : host.disks) each_double("disk." + segment(name) + ".", disk, figure);
    for (const auto& [name, network] : host.networks) each_double("network." + segment(name) + ".", network, figure);
  }
  each_double("load.", host.load, figure);
  figure("load.tasks", static_cast<double>(host.load.tasks));
  each_double("memory.", host.memory, figure);
  figure("memory.available", static_cast<double>(host.memory.available));
  for (const auto& filesystem : host.filesystems)
    each_double("filesystem." + filesystem_name(filesystem.path) + ".", filesystem, figure);
}

}  // namespace weft::metrics
