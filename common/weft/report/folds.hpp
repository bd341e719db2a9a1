// Folds: error events of which only the number is kept: one sample for each issue stands for all. Pure.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "weft/base/base.hpp"

namespace weft::report {

/// About what it takes on the wire, in bytes.
std::size_t size_of(const ErrorEvent& event);

class Folds {
 public:
  static constexpr std::size_t kIssuesMax = 256, kBytesMax = 4 * 1024 * 1024;

  /// Counts `event` with the sample of its issue, which gets its time; the first of an issue is its sample. The event
  /// has its agent and host. False: it would be a further issue, for which there is no room.
  bool add(ErrorEvent event);
  /// The sample of the issue that came first; `repeated` says how many further ones it stands for. None: all were
  /// taken.
  std::optional<ErrorEvent> take();
  /// How many events the samples stand for, themselves included.
  std::uint64_t events() const noexcept { return events_; }

 private:
  std::map<std::string, ErrorEvent> samples_;
  std::deque<std::string> order_;  // keys of samples_
  std::size_t bytes_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace weft::report
