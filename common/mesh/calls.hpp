// Calls: the outgoing half of calling: links to peers, and the calls that wait for their answers. Private to mesh.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"

namespace weft::mesh {

class Calls {
 public:
  Calls(Loop& loop, net::Context& context, const PeerOptions& options, net::Limits limits, net::Traffic& traffic,
        observe::Metrics& metrics);
  ~Calls();

  Task<Result<Payload>> call(std::string endpoint, std::string method, Payload payload, CallOptions options);
  void drop(const std::string& endpoint, std::string_view why);
  std::size_t in_flight_to(const std::string& endpoint) const noexcept;
  std::size_t pending() const noexcept { return pending_.size(); }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = epoch; }
  void flush();

 private:
  struct LinkState {
    std::unique_ptr<net::Link> link;
    std::size_t in_flight = 0;
    TimePoint last_used;
  };
  struct Pending {
    Completion<Result<Payload>>::Completer completer;
    std::shared_ptr<LinkState> link;
    Loop::Id timer = 0;
  };
  struct Waiting;  // one call while its coroutine waits

  std::shared_ptr<LinkState> link_to(const std::string& endpoint);
  void take(const wire::EnvelopeView& envelope);
  void finish(std::uint64_t id, Result<Payload> outcome);
  void give_up(std::uint64_t id) noexcept;
  void give_up_with(std::uint64_t id, Error error);
  void tell_cancelled(const Pending& pending, std::uint64_t id) noexcept;
  void fail_all(const std::shared_ptr<LinkState>& link, const Error& error);
  void close_idle();
  wire::Header header_for(const CallOptions& options, Duration budget) const;
  struct Stats;
  Stats& stats_of(const std::string& method);
  void count(const std::string& method, const Result<Payload>& outcome, Duration took);

  Loop& loop_;
  net::Context& context_;
  const PeerOptions& options_;
  net::Limits limits_;
  net::Traffic& traffic_;
  observe::Metrics& metrics_;
  std::uint64_t epoch_ = 0;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::map<std::string, std::shared_ptr<LinkState>> links_;
  struct Stats {
    std::string label;
    observe::Counter* ok;
    observe::Histogram* duration;
  };
  std::unordered_map<std::string, Stats> stats_;  // by method called
  Timer idle_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace weft::mesh
