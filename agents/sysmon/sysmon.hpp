// Sysmon: publishes the figures of its machine on host.<host>.metrics, and serves the latest as `snapshot`.
#pragma once
#include <string>
#include <vector>

#include "agents/sysmon/proc_reader.hpp"
#include "weft/agent/agent.hpp"

namespace weft::sysmon {

struct Ignore {
  std::vector<std::string> disks{"loop*", "ram*", "zram*", "sr*", "fd*"};
  std::vector<std::string> interfaces{"lo", "veth*"};
  WEFT_FIELDS(Ignore, disks, interfaces)
};
struct Processes {
  std::int64_t top = 5;         ///< how many are told; 0: none are read
  Duration every = 5s;          ///< between scans
  std::int64_t read_max = 512;  ///< a scan reads at most so many
  WEFT_FIELDS(Processes, top, every, read_max)
};
struct Settings {
  Duration period = 1s;
  Ignore ignore;
  Processes processes;
  std::vector<std::string> filesystems{"/"};
  WEFT_FIELDS(Settings, period, ignore, processes, filesystems)
};

class Sysmon {
 public:
  Sysmon(Settings settings, Agent& agent);

 private:
  void tick();
  void scan_when_due();

  Settings settings_;
  Agent& agent_;
  ProcReader reader_;
  Meter meter_;
  ProcessTable table_;
  TimePoint scanned_{};
  metrics::Host latest_;
  wire::Payload encoded_;  // latest_ as it was published
};

}  // namespace weft::sysmon
