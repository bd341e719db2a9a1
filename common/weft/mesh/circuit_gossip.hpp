// What callers tell each other of their circuits, in the records that the registry spreads: what this process tells,
// and what it was told. Pure: time and chance are parameters. Private to mesh.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/policy/balancer.hpp"
#include "weft/wire/record.hpp"

namespace weft::mesh {

using policy::BreakerState;
using policy::ReportingCaller;
using wire::CircuitNews;
using wire::InstanceRecord;
using wire::kCircuitNewsMax;

/// Nothing for a word that a newer release may use.
std::optional<BreakerState> state_named(std::string_view name) noexcept;

/// How long another caller's opening counts here, as a part of the open period: from 0.5 to 0.95 of it. So somebody
/// else probes before the one who opened it, whose own link may be what is broken; and of many callers few go at once,
/// by exponentially distributed timers (Nonnenmacher and Biersack, Scalable feedback for large groups). `unit`: random,
/// 0 to 1.
double hold_part(double unit) noexcept;

/// What this process tells: the latest of each circuit, for as long as it may matter to others.
class OutgoingReports {
 public:
  void put(std::string_view target, const Ulid& instance, BreakerState state, TimePoint until);
  /// Those that are not over yet. At most kCircuitNewsMax: the latest.
  std::vector<CircuitNews> list(TimePoint now);
  /// True when the latest of this circuit is not that it is closed.
  bool holds_open(std::string_view target, const Ulid& instance) const noexcept;

 private:
  struct Item {
    CircuitNews report;
    TimePoint until;
  };
  std::vector<Item> items_;  // in order of their numbers
  std::uint64_t number_ = 0;
};

/// What this process was told, until it is over: a circuit that is made later begins with it.
class PeerReports {
 public:
  static constexpr std::size_t kItemsMax = 4096;  ///< openings; more are minded where a circuit exists already

  struct Opening {
    std::shared_ptr<const ReportingCaller> by;
    TimePoint until;    ///< circuits are open
    TimePoint expires;  ///< nobody renewed it
  };
  /// Those of `record` that were not there the last time.
  std::vector<CircuitNews> fresh(const InstanceRecord& record);
  /// Its process is gone; what it said stays until it is over.
  void gone(const Ulid& teller) { seen_.erase(teller); }

  void open(std::string_view target, const Ulid& instance, Opening opening);
  void closed(std::string_view target, const Ulid& instance);
  bool empty() const noexcept { return openings_.empty(); }
  /// Null when nobody holds it open.
  const Opening* find(std::string_view target, const Ulid& instance, TimePoint now) const;
  /// Takes out those that are over, and calls `each(target, instance)`.
  template <class Each>
  void expire(TimePoint now, Each each) {
    for (auto at = openings_.begin(); at != openings_.end();) {
      if (at->second.expires > now) {
        ++at;
        continue;
      }
      const auto key = at->first;
      at = openings_.erase(at);
      each(key.second, key.first);
    }
  }

 private:
  std::unordered_map<Ulid, std::uint64_t> seen_;  // the highest number, by teller
  std::map<std::pair<Ulid, std::string>, Opening> openings_;
};

}  // namespace weft::mesh
