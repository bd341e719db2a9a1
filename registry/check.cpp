#include "registry/check.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "weft/base/semver.hpp"
#include "weft/base/target.hpp"
#include "weft/base/utf8.hpp"
#include "weft/wire/wire.hpp"

namespace weft::registry {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un

Error refusal(const Code& code, const wire::InstanceRecord& record, std::string_view field, const std::string& why) {
  return {code, "agent '" + record.agent.substr(0, kNameMax) + "': " + std::string(field) + ": " + why};
}

Result<void> check_length(const wire::InstanceRecord& record, std::string_view field, std::string_view text,
                          std::size_t max) {
  if (text.size() <= max) return {};
  return refusal(codes::too_large, record, field,
                 std::to_string(text.size()) + " bytes, at most " + std::to_string(max) + " are allowed");
}

Result<void> check_count(const wire::InstanceRecord& record, std::string_view field, std::size_t count,
                         std::size_t max) {
  if (count <= max) return {};
  return refusal(codes::too_large, record, field,
                 std::to_string(count) + " entries, at most " + std::to_string(max) + " are allowed");
}

/// The host is an address, [v6] or a name; a peer cannot connect to all addresses or to port 0.
bool is_tcp_endpoint(std::string_view endpoint) {
  constexpr std::string_view kScheme = "tcp://";
  const auto colon = endpoint.rfind(':');
  if (!endpoint.starts_with(kScheme) || colon < kScheme.size()) return false;
  const auto port = endpoint.substr(colon + 1);
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (failed != std::errc() || end != port.data() + port.size() || number == 0 || number > 65'535) return false;
  auto host = endpoint.substr(kScheme.size(), colon - kScheme.size());
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (v6) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0" || host == "::") return false;
  return std::all_of(host.begin(), host.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || (v6 && (c == ':' || c == '%'));
  });
}

/// An absolute path that fits into the address of a socket, or a name in the abstract namespace.
bool is_ipc_endpoint(std::string_view endpoint) {
  constexpr std::string_view kScheme = "ipc://";
  if (!endpoint.starts_with(kScheme)) return false;
  const auto path = endpoint.substr(kScheme.size());
  return path.size() >= 2 && path.size() <= kSocketPathMax && (path[0] == '/' || path[0] == '@') &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
}

Result<void> check_endpoint(const wire::InstanceRecord& record, std::string_view field, std::string_view endpoint) {
  if (endpoint.empty()) return {};
  if (auto fits = check_length(record, field, endpoint, kEndpointMax); !fits) return fits;
  if (is_tcp_endpoint(endpoint) || is_ipc_endpoint(endpoint)) return {};
  return refusal(
      codes::bad_value, record, field,
      "'" + std::string(endpoint) +
          "' is no endpoint that others can connect to: wanted tcp://10.0.0.1:40001 or ipc:///run/weft/x.call");
}

Result<void> check_slot(const wire::InstanceRecord& record) {
  if (auto fits = check_length(record, "slot", record.slot, kSlotMax); !fits) return fits;
  const bool printable = std::all_of(record.slot.begin(), record.slot.end(), [](char c) { return c > ' ' && c < 127; });
  if (printable) return {};
  return refusal(codes::bad_name, record, "slot", "only printable ASCII without spaces, such as sysmon@alpha");
}

Result<void> check_who(const wire::InstanceRecord& record, std::string_view mesh) {
  if (record.mesh != mesh) {
    return Error(codes::wrong_mesh,
                 "agent '" + record.agent.substr(0, kNameMax) + "' is of mesh '" + record.mesh.substr(0, kNameMax) +
                     "', this registry serves mesh '" + std::string(mesh) + "'",
                 "give both the same mesh.name, or the agent the registry.addresses of its own mesh");
  }
  if (auto named = check_name("agent name", record.agent); !named) return named;
  if (auto named = check_name("host name", record.host); !named) return named;
  if (record.instance.is_nil()) return refusal(codes::bad_value, record, "instance", "is missing");
  return check_slot(record);
}

Result<void> check_epoch(const wire::InstanceRecord& record) {
  if (record.epoch <= kEpochMax) return {};
  return refusal(codes::bad_value, record, "epoch",
                 std::to_string(record.epoch) + ", at most " + std::to_string(kEpochMax) + " is possible");
}

Result<void> check_where(const wire::InstanceRecord& record) {
  const std::array<std::pair<std::string_view, const std::string*>, 4> endpoints{{
      {"call_endpoint", &record.call_endpoint},
      {"call_local", &record.call_local},
      {"publish_endpoint", &record.publish_endpoint},
      {"publish_local", &record.publish_local},
  }};
  for (const auto& [field, endpoint] : endpoints)
    if (auto good = check_endpoint(record, field, *endpoint); !good) return good;
  return check_length(record, "admin", record.admin, kEndpointMax);
}

Result<void> check_methods(const wire::InstanceRecord& record) {
  if (auto few = check_count(record, "methods", record.methods.size(), kMethodsMax); !few) return few;
  for (const auto& method : record.methods) {
    if (auto named = check_name("method name", method.name); !named) return named;
    if (auto fits = check_length(record, "summary of " + method.name, method.summary, kTextMax); !fits) return fits;
  }
  return {};
}

Result<void> check_topics(const wire::InstanceRecord& record) {
  if (auto few = check_count(record, "topics", record.topics.size(), kTopicsMax); !few) return few;
  for (const auto& topic : record.topics)
    if (auto pattern = TopicPattern::parse(topic); !pattern) return pattern.error();
  return {};
}

Result<void> check_tags(const wire::InstanceRecord& record) {
  if (auto few = check_count(record, "tags", record.tags.size(), kTagsMax); !few) return few;
  for (const auto& [key, value] : record.tags) {
    if (auto named = check_name("tag", key); !named) return named;
    if (auto fits = check_length(record, "tag " + key, value, kTextMax); !fits) return fits;
  }
  return {};
}

bool is_news(const wire::CircuitNews& news) {
  return news.state.size() <= kNameMax && !news.instance.is_nil() && Target::parse(news.target);
}

Result<void> check_circuits(const wire::InstanceRecord& record) {
  if (auto few = check_count(record, "circuits", record.circuits.size(), wire::kCircuitNewsMax); !few) return few;
  if (std::all_of(record.circuits.begin(), record.circuits.end(), is_news)) return {};
  return refusal(codes::bad_value, record, "circuits", "wanted agent.method, an instance and a state");
}

Result<void> check_version(const wire::InstanceRecord& record) {
  if (record.version.empty() || is_semver(record.version)) return {};
  return refusal(codes::bad_value, record, "version",
                 "'" + record.version + "' is no semantic version: wanted one such as 1.4.0 or 2.0.0-rc.1");
}

Result<void> check_words(const wire::InstanceRecord& record) {
  const std::array<std::pair<std::string_view, const std::string*>, 4> words{{
      {"version", &record.version},
      {"config_hash", &record.config_hash},
      {"public_key", &record.public_key},
      {"registry", &record.registry},
  }};
  for (const auto& [field, word] : words)
    if (auto fits = check_length(record, field, *word, kWordMax); !fits) return fits;
  return {};
}

}  // namespace

Result<void> check_record(const wire::InstanceRecord& record, std::string_view mesh) {
  if (auto good = check_who(record, mesh); !good) return good;
  if (auto good = check_epoch(record); !good) return good;
  if (auto good = check_where(record); !good) return good;
  if (auto good = check_methods(record); !good) return good;
  if (auto good = check_topics(record); !good) return good;
  if (auto good = check_tags(record); !good) return good;
  if (auto good = check_circuits(record); !good) return good;
  if (auto good = check_words(record); !good) return good;
  return check_version(record);
}

Result<void> check_protocol(const wire::InstanceRecord& record) {
  if (record.protocol_min <= wire::kVersion && wire::kVersion <= record.protocol_max) return {};
  const auto text = [](std::uint32_t version) { return std::to_string(version); };
  return Error(codes::wrong_version,
               "agent '" + record.agent.substr(0, kNameMax) + "' speaks versions " + text(record.protocol_min) +
                   " to " + text(record.protocol_max) + " of the protocol, this registry version " +
                   text(wire::kVersion),
               "bring both to releases whose versions overlap: weft check versions shows who runs which");
}

std::size_t weight_of(const wire::InstanceRecord& record) noexcept {
  // 572: the names of the fields, the numbers and the id; 32 and 8: what MessagePack puts around an entry
  std::size_t weight = 572 + record.mesh.size() + record.host.size() + record.agent.size() + record.version.size() +
                       record.slot.size() + record.call_endpoint.size() + record.call_local.size() +
                       record.publish_endpoint.size() + record.publish_local.size() + record.admin.size() +
                       record.config_hash.size() + record.public_key.size() + record.health_text.size();
  for (const auto& method : record.methods)
    weight += 32 + method.name.size() + method.summary.size() + method.kind.size();
  for (const auto& topic : record.topics) weight += 8 + topic.size();
  for (const auto& [key, value] : record.tags) weight += 8 + key.size() + value.size();
  for (const auto& news : record.circuits) weight += 80 + news.target.size() + news.state.size();
  return weight;
}

std::vector<wire::CircuitNews> fit_to_tell(std::vector<wire::CircuitNews> news) {
  std::erase_if(news, [](const wire::CircuitNews& one) { return !is_news(one); });
  if (news.size() > wire::kCircuitNewsMax) news.resize(wire::kCircuitNewsMax);
  return news;
}

std::string shortened(std::string text) {
  text.resize(utf8::cut(text, kTextMax).size());
  return text;
}

}  // namespace weft::registry
