#include "weft/net/admission.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace weft::net {
namespace {

constexpr Duration kReportAgain = 60s;

std::uint64_t files_max() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

/// An address as in an endpoint of ZeroMQ: tcp://127.0.0.1:7411 or ipc:///path; empty for anything else.
std::string endpoint_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return "tcp://" + std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "tcp://[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  if (address.ss_family == AF_UNIX)
    return std::string("ipc://") + reinterpret_cast<const sockaddr_un&>(address).sun_path;
  return {};
}

bool same_listener(std::string_view a, std::string_view b) {
  if (!a.starts_with("tcp://") || !b.starts_with("tcp://")) return a == b;
  return a.substr(a.rfind(':')) == b.substr(b.rfind(':'));  // a listener on 0.0.0.0 has connections to any address
}

bool belongs_to(int connection, std::string_view listener) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (::getsockname(connection, reinterpret_cast<sockaddr*>(&local), &size) != 0) return false;
  return same_listener(endpoint_of(local), listener);
}

std::string peer_of(int connection) {
  sockaddr_storage remote{};
  socklen_t size = sizeof remote;
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&remote), &size) != 0) return {};
  return endpoint_of(remote);
}

int open_null() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

Admission::Admission() : null_(open_null()), spare_(open_null()) {}

Admission::~Admission() {
  ::close(null_);
  ::close(spare_);
}

void Admission::accepted(int descriptor, std::string_view listener, TimePoint now) {
  const std::uint64_t most = files_max();
  const std::uint64_t reserved = std::min(kFilesReserved, most / 4);
  if (descriptor < 0 || static_cast<std::uint64_t>(descriptor) + reserved < most) return;
  refused_.no_files += close(descriptor, listener, "no_files", now) ? 1U : 0U;
}

void Admission::subscribes_too_much(int descriptor, std::string_view listener, TimePoint now) {
  refused_.subscriptions += close(descriptor, listener, "subscriptions", now) ? 1U : 0U;
}

/// False: libzmq's thread has closed it already, and the number may be that of another file.
bool Admission::close(int descriptor, std::string_view listener, std::string_view reason, TimePoint now) {
  if (::dup3(descriptor, spare_, O_CLOEXEC) < 0) return false;
  const bool open = belongs_to(spare_, listener);
  const std::string peer = open ? peer_of(spare_) : "";
  if (open) ::shutdown(spare_, SHUT_RDWR);  // libzmq reads the end of the stream, and forgets the connection
  ::dup3(null_, spare_, O_CLOEXEC);
  if (!open) return false;
  const auto [last, first] = reported_.try_emplace(std::string(reason), now);
  if (!first && now - last->second < kReportAgain) return true;
  last->second = now;
  if (report_) report_(reason, peer);
  return true;
}

}  // namespace weft::net
