// What the registry shows over HTTP, made of its view. Pure.
#pragma once
#include <string>

#include "registry/view.hpp"

namespace weft::registry {

/// The records as JSON; only those of `agent` and `host` where these are not empty.
std::string agents_json(const View& view, const std::string& agent, const std::string& host);
/// Prometheus http_sd. An admin door on a loopback address is listed for records of `own_host` only: nobody else can
/// reach it. https://prometheus.io/docs/prometheus/latest/http_sd/
std::string http_sd_json(const View& view, const std::string& own_host);
/// "127.0.0.1:40003", "[::1]:80", "localhost:80".
bool is_loopback(std::string_view address) noexcept;

}  // namespace weft::registry
