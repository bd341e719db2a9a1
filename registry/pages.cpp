#include "registry/pages.hpp"

namespace weft::registry {

std::string agents_json(const View& view, const std::string& agent, const std::string& host) {
  Value::List list;
  view.each([&](const InstanceRecord& record) {
    if ((agent.empty() || record.agent == agent) && (host.empty() || record.host == host))
      list.push_back(to_value(record));
  });
  return to_json(list);
}

bool is_loopback(std::string_view address) noexcept {
  return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
}

namespace {
Value target_of(const InstanceRecord& record) {
  Value::Map labels{{"__metrics_path__", "/metrics"},
                    {"agent", record.agent},
                    {"host", record.host},
                    {"version", record.version},
                    {"instance", record.instance.to_string()}};
  const auto env = record.tags.find("env");
  if (env != record.tags.end() && !env->second.empty()) labels.emplace("env", env->second);
  return Value::Map{{"targets", Value::List{record.admin}}, {"labels", std::move(labels)}};
}
}  // namespace

std::string http_sd_json(const View& view, const std::string& own_host) {
  Value::List list;
  view.each([&](const InstanceRecord& record) {
    if (!record.admin.empty() && (record.host == own_host || !is_loopback(record.admin)))
      list.push_back(target_of(record));
  });
  return to_json(list);
}

}  // namespace weft::registry
