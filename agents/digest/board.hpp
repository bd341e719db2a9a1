// Board: the series of all hosts, within limits. Pure.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "agents/digest/window.hpp"

namespace weft::digest {

struct SummaryRequest {
  std::string host;    ///< empty: all
  std::string series;  ///< a pattern such as "cpu.#"; empty: all
  Span window = Span::minute;
  WEFT_FIELDS(SummaryRequest, host, series, window)
};
struct Summary {
  Span window = Span::minute;
  std::map<std::string, std::map<std::string, Figures>>
      hosts;  ///< by host, then series; those with values in the window
  WEFT_FIELDS(Summary, window, hosts)
};
struct HostSeen {
  std::string host;
  double age = 0;  ///< seconds since its last figures came
  std::uint64_t series = 0;
  WEFT_FIELDS(HostSeen, host, age, series)
};

class Board {
 public:
  struct Limits {
    std::size_t hosts_max = 256;
    std::size_t series_max = 4096;  ///< of all hosts together; each takes some 25 KiB at one value a second, at most 70
    Duration forget = 1h;
  };
  explicit Board(Limits limits) : limits_(limits) {}

  /// False: a limit is reached or the value is no number; it was counted and not kept.
  bool add(const std::string& host, const std::string& series, double value, TimePoint now);
  /// Forgets series and hosts that were silent for longer than limits.forget; returns the hosts that went.
  std::vector<std::string> expire(TimePoint now);
  /// Errors: `not_found` (no such host; says which there are), `bad_topic` (pattern).
  Result<Summary> summary(const SummaryRequest& request, TimePoint now) const;
  std::vector<HostSeen> hosts(TimePoint now) const;
  std::size_t series_count() const noexcept { return series_count_; }
  std::size_t host_count() const noexcept { return hosts_.size(); }
  std::uint64_t refused() const noexcept { return refused_; }

 private:
  struct Host {
    TimePoint seen{};
    std::map<std::string, Series> series;
  };
  Limits limits_;
  std::map<std::string, Host> hosts_;
  std::size_t series_count_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace weft::digest
