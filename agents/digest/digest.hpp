// Digest: keeps windows of the figures of all hosts, answers `summary` and `hosts`, and reports crossed thresholds.
#pragma once
#include <vector>

#include "agents/digest/board.hpp"
#include "agents/digest/thresholds.hpp"
#include "agents/metrics/metrics.hpp"
#include "weft/agent/agent.hpp"

namespace weft::digest {

struct Settings {
  std::int64_t hosts_max = 256;
  std::int64_t series_max = 4096;
  std::vector<Threshold> thresholds;
  WEFT_FIELDS(Settings, hosts_max, series_max, thresholds)
};

class Digest {
 public:
  Digest(Settings settings, Agent& agent);

 private:
  void take(const metrics::Host& figures, const Event& event);
  void tell(const Crossing& crossing);
  void expire();
  void show_metrics();

  Agent& agent_;
  Board board_;
  Thresholds thresholds_;
};

}  // namespace weft::digest
