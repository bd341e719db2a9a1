// Liveness: pings instances that owe answers and have become silent, so that the balancer leaves a frozen process
// before its lease expires. Private to mesh.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "weft/calls/ping.hpp"
#include "weft/mesh/router.hpp"
#include "weft/observe/observe.hpp"

namespace weft::mesh {

class Liveness {
 public:
  using Answers = std::function<void(const InstanceState& again)>;
  /// `answers` is called when an instance that was silent answers again. Borrows the rest.
  Liveness(Loop& loop, Caller& caller, observe::Metrics& metrics, observe::Log& log, Answers answers);

  /// The first of the calls that wait for this instance was sent.
  void call_sent(const Router::Candidate& to);
  /// The instance has left the registry.
  void gone(const Ulid& instance);

 private:
  struct Watched {
    Router::Candidate instance;
    std::unique_ptr<calls::Ping> ping;
    bool reported = false;  // as silent
  };
  void look();
  bool look_at(Watched& watched, TimePoint now);
  void report(Watched& watched, bool silent);

  Loop& loop_;
  Caller& caller_;
  observe::Log& log_;
  observe::Counter& silent_;
  Answers answers_;
  std::vector<Watched> watched_;  // those that owe answers now, or did a moment ago
  Timer timer_;
};

}  // namespace weft::mesh
