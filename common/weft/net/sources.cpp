#include "weft/net/sources.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace weft::net {
namespace {

/// ipc, or tcp with an address: what libzmq reports as it was given.
bool is_exact(std::string_view endpoint) {
  if (endpoint.starts_with("ipc://")) return true;
  const auto colon = endpoint.rfind(':');
  if (!endpoint.starts_with("tcp://") || colon < 6) return false;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::string host(endpoint.substr(6, colon - 6));
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (v6) host = host.substr(1, host.size() - 2);
  const int family = v6 ? AF_INET6 : AF_INET;
  return ::inet_pton(family, host.c_str(), address.data()) == 1 &&
         ::inet_ntop(family, address.data(), text.data(), text.size()) == host;
}

}  // namespace

void Sources::expect(std::uint64_t sender, const std::string& endpoint) {
  if (is_exact(endpoint)) expected_.try_emplace(sender, endpoint);
  changed();
}

void Sources::forget(std::uint64_t sender, const std::string& endpoint) {
  const auto found = expected_.find(sender);
  if (found != expected_.end() && found->second == endpoint) expected_.erase(found);
  changed();
}

void Sources::connected(int descriptor, std::string_view endpoint) {
  connections_.insert_or_assign(descriptor, std::string(endpoint));
  changed();
}

void Sources::disconnected(int descriptor) {
  connections_.erase(descriptor);
  changed();
}

bool Sources::counts_slow(int descriptor, std::uint64_t sender) {
  if (const auto expected = expected_.find(sender); expected != expected_.end()) {
    const auto from = connections_.find(descriptor);
    if (from == connections_.end() || from->second != expected->second) return false;
  }
  last_descriptor_ = descriptor;
  last_sender_ = sender;
  return true;
}

}  // namespace weft::net
