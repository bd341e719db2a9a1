// The loop of sysmon: read, publish, keep.
#include "agents/sysmon/sysmon.hpp"

#include <unistd.h>

namespace weft::sysmon {

Sysmon::Sysmon(Settings settings, Agent& agent)
    : settings_(std::move(settings)),
      agent_(agent),
      reader_({"/proc", settings_.ignore.disks, settings_.ignore.interfaces}),
      table_(static_cast<std::size_t>(settings_.processes.read_max)) {
  agent_.publishes(metrics::topic_of(agent_.host()));
  agent_.serve(
      "snapshot", [this](Value, Call&) -> Task<Result<Payload>> { co_return encoded_; },
      "the latest figures of this machine");
  tick();
  agent_.every(settings_.period, [this] { tick(); });
}

void Sysmon::tick() {
  const auto& clock = agent_.loop().clock();
  auto processes = std::move(latest_.processes);
  auto filesystems = std::move(latest_.filesystems);
  latest_ = meter_.take(reader_.read(), clock.now());
  latest_.host = agent_.host();
  latest_.time_us = to_us(clock.wall());
  latest_.processes = std::move(processes);
  latest_.filesystems = std::move(filesystems);
  scan_when_due();
  encoded_ = Payload::of(latest_);
  if (auto sent = agent_.publish(metrics::topic_of(agent_.host()), encoded_); !sent)
    agent_.log().error("figures not published", sent.error());
}

void Sysmon::scan_when_due() {
  const auto now = agent_.loop().now();
  if (scanned_ != TimePoint{} && now - scanned_ < settings_.processes.every) return;
  scanned_ = now;
  latest_.filesystems.clear();
  for (const auto& path : settings_.filesystems) {
    if (auto found = read_filesystem(path)) latest_.filesystems.push_back(std::move(*found));
  }
  if (settings_.processes.top == 0) return;
  reader_.scan(table_, agent_.loop().clock());
  latest_.processes = table_.top(static_cast<std::size_t>(settings_.processes.top),
                                 static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace weft::sysmon
