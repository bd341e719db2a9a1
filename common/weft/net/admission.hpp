// Admission: closes connections of strangers that take too much. Private to net.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "weft/net/net.hpp"

namespace weft::net {

/// libzmq accepts every connection, and cannot refuse or close one. Here this is done by the descriptor that libzmq
/// reports for it. Loop-bound.
class Admission {
 public:
  /// Files that stay free for what the process opens itself: journals, connections to its peers.
  static constexpr std::uint64_t kFilesReserved = 50;

  Admission();
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Closes the connection when it took one of the last kFilesReserved files: the system gives out the lowest free
  /// descriptor, so its number says how many files are open. `listener` is the endpoint that accepted it.
  void accepted(int descriptor, std::string_view listener, TimePoint now);
  /// For the reason "subscriptions".
  void subscribes_too_much(int descriptor, std::string_view listener, TimePoint now);

  const Context::Refused& refused() const noexcept { return refused_; }
  void on_refused(std::function<void(std::string_view, const std::string&)> report) { report_ = std::move(report); }

 private:
  bool close(int descriptor, std::string_view listener, std::string_view reason, TimePoint now);

  /// `spare_` becomes a second descriptor of a connection, which stays the same connection whatever libzmq does with
  /// its own; it is kept open, since there may be no free one when it is needed. `null_` is what it is otherwise.
  const int null_, spare_;
  Context::Refused refused_;
  std::map<std::string, TimePoint, std::less<>> reported_;  ///< by reason
  std::function<void(std::string_view, const std::string&)> report_;
};

}  // namespace weft::net
