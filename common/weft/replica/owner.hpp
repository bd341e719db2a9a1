// Owner: an OwnerTable in its agent: serves snapshots, publishes changes, ends what has a time to live. Private to
// replica.
#pragma once
#include <memory>
#include <string>

#include "weft/agent/agent.hpp"
#include "weft/replica/owner_table.hpp"

namespace weft::replica {

class Owner : public std::enable_shared_from_this<Owner> {
 public:
  static std::shared_ptr<Owner> start(Agent& agent, const std::string& name, ReplicatedLimits limits,
                                      OwnerTable::Encode encode);
  Result<void> set(std::string_view key, Held value, Duration time_to_live);
  bool erase(std::string_view key);
  const Table& table() const noexcept { return table_.table(); }

 private:
  Owner(Agent& agent, const std::string& name, const ReplicatedLimits& limits, OwnerTable::Encode encode);
  void serve(const std::string& name);
  Task<void> begin();
  void flush_soon();
  void flush();
  void publish_next();
  void watch_times();
  Task<void> end_in_time();
  Task<Result<SnapshotEnd>> give_snapshot(Stream& to);

  Agent& agent_;
  const std::string topic_;
  OwnerTable table_;
  observe::Counter &changes_, &refused_, &snapshots_;
  observe::Gauge &entries_, &bytes_;
  std::size_t giving_ = 0;      // snapshots under way
  bool running_ = false;        // false while the agent is set up: nothing runs beside that
  bool flush_is_due_ = false;   // somebody will flush
  bool watches_times_ = false;  // end_in_time() runs
};

}  // namespace weft::replica
