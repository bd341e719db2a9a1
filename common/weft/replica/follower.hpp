// Follower: a ReplicaTable in its agent: subscribes first, then asks for the snapshot, again after each gap. Private to
// replica.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "weft/agent/agent.hpp"
#include "weft/replica/replica_table.hpp"

namespace weft::replica {

class Follower : public std::enable_shared_from_this<Follower> {
 public:
  static std::shared_ptr<Follower> start(Agent& agent, const std::string& source, std::size_t entries_max,
                                         ReplicaTable::Decode decode, ReplicaTable::Changed changed);
  void close();
  bool synced() const { return table_.synced(agent_.loop().now()); }
  Task<Result<void>> until_synced(Duration timeout);
  const Table& table() const noexcept { return table_.table(); }

 private:
  Follower(Agent& agent, const std::string& source, std::size_t entries_max, ReplicaTable::Decode decode,
           ReplicaTable::Changed changed);
  void listen();
  void hear(const Changes& message);
  void go_on();
  void look();
  void show();
  Task<void> follow();
  Task<Result<void>> take_snapshot();
  Task<Result<void>> take_parts(std::uint64_t attempt);
  void watch_times();
  Task<void> end_in_time();

  struct Meters {
    Meters(observe::Metrics& metrics, const std::string& source);
    observe::Gauge &entries, &synced, &behind, &heard;
    observe::Gauge &gaps, &restarts, &snapshots, &undecodable, &strangers;
  };

  Agent& agent_;
  const std::string source_;
  ReplicaTable table_;
  Meters meters_;
  std::vector<actor::Responder<bool>> waiting_;  // for until_synced()
  Duration pause_{};                             // before the next snapshot
  TimePoint calm_at_ = TimePoint::max();         // then it is zero again
  bool follows_ = false;                         // follow() runs
  bool watches_times_ = false;                   // end_in_time() runs
  bool closed_ = false;
};

}  // namespace weft::replica
