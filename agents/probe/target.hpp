// Target: what is checked, and what a good answer is. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::probe {

/// As configured; what is not set is taken from the agent's own settings. One of `tcp` and `http` is set; "{address}"
/// in it stands for the address of this host in the mesh.
struct TargetSettings {
  std::string name;  ///< also the last segment of the topic
  std::string tcp;   ///< "host:port", "[::1]:port"
  std::string http;  ///< "http://host:port/path"
  std::optional<Duration> period, timeout;
  std::optional<std::int64_t> rise, fall;  ///< good answers in a row until up, bad ones until down
  std::optional<Severity> severity;        ///< of the report that it is down
  std::vector<std::int64_t> status;        ///< good ones; empty: 200 to 399
  std::string contains;                    ///< the body must hold this text
  WEFT_FIELDS(TargetSettings, name, tcp, http, period, timeout, rise, fall, severity, status, contains)
};

struct Defaults {
  Duration period = 10s, timeout = 2s;
  std::int64_t rise = 2, fall = 2;
  Severity severity = Severity::error;
  std::string host_address = "127.0.0.1";
};

struct Target {
  std::string name, address;  ///< address: what was configured
  std::string host;           ///< empty: HTTP
  std::uint16_t port = 0;
  std::string url;  ///< empty: TCP
  Duration period{}, timeout{};
  std::int64_t rise = 1, fall = 1;
  Severity severity = Severity::error;
  std::vector<std::int64_t> status;
  std::string contains;
};

/// Errors: `bad_value` that tells every target that is wrong.
Result<std::vector<Target>> targets_of(const std::vector<TargetSettings>& settings, const Defaults& defaults);
/// Errors: `bad_value`: what was wanted instead.
Result<void> judge(const Target& target, int status, std::string_view body);

}  // namespace weft::probe
