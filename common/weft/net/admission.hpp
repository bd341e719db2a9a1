// Admission: keeps the connections of strangers from taking the last files of the process. Private to net.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::net {

/// libzmq accepts every connection and cannot refuse one. So each is looked at after it was accepted, and is shut down
/// when it took one of the last kFilesReserved files. The system gives out the lowest free descriptor, so its number
/// says how many files are open. Loop-bound.
class Admission {
 public:
  /// Files that stay free for what the process opens itself: journals, connections to its peers.
  static constexpr std::uint64_t kFilesReserved = 50;

  Admission();
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// `descriptor` and `endpoint` are what ZMQ_EVENT_ACCEPTED reports. libzmq's thread may have closed it meanwhile.
  void accepted(int descriptor, std::string_view endpoint, TimePoint now);
  std::uint64_t refused() const noexcept { return refused_; }
  /// `report` is called with the address of a refused peer, once a minute at most.
  void on_refused(std::function<void(const std::string& address)> report) { report_ = std::move(report); }

 private:
  /// `spare_` becomes a second descriptor of a connection, which stays the same connection whatever libzmq does with
  /// its own; it is kept open, since there may be no free one when it is needed. `null_` is what it is otherwise.
  const int null_, spare_;
  std::uint64_t refused_ = 0;
  std::optional<TimePoint> reported_;
  std::function<void(const std::string&)> report_;
};

}  // namespace weft::net
