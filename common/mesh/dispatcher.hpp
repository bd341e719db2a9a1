// Dispatcher: the incoming half of calling: finds the handler of a request, runs it, answers. Private to mesh.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"

namespace weft::mesh {

class Dispatcher {
 public:
  /// Sends an answer to the connection `peer`.
  using Reply = std::function<void(std::string_view peer, const wire::Header& header, Bytes payload)>;
  using Failed = std::function<void(std::string_view method, const Error& error)>;

  Dispatcher(Loop& loop, const PeerOptions& options, observe::Metrics& metrics, observe::Log& log, Reply reply);

  void serve(MethodInfo method, Handler handler);
  std::vector<MethodInfo> methods() const;
  void take(std::string_view peer, const wire::EnvelopeView& envelope);
  void on_failed(Failed failed) { failed_ = std::move(failed); }
  void start_draining() noexcept { draining_ = true; }
  std::size_t in_flight() const noexcept { return active_.size(); }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = epoch; }

 private:
  struct Method {
    MethodInfo info;
    Handler handler;
    observe::Counter* ok;
    observe::Histogram* duration;
  };
  using Key = std::pair<std::string, std::uint64_t>;  // connection, correlation id
  struct Active {
    Key key;
    Method* method;
    Call call;
    TimePoint begin;
  };

  Result<Method*> find(std::string_view name);
  void start(std::string_view peer, const wire::EnvelopeView& envelope, Method& method);
  Task<void> run(std::shared_ptr<Active> active);
  void finish(const Active& active, const Result<Payload>& outcome);
  void answer(std::string_view peer, std::uint64_t id, const wire::TraceContext& trace, Result<Payload> outcome);

  Loop& loop_;
  const PeerOptions& options_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  Reply reply_;
  Failed failed_;
  std::map<std::string, Method, std::less<>> methods_;
  std::map<Key, std::shared_ptr<Active>> active_;
  observe::Gauge& in_flight_gauge_;
  std::uint64_t epoch_ = 0;
  bool draining_ = false;
  TaskScope running_;  // last: its tasks use the rest
};

}  // namespace weft::mesh
