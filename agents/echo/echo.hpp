// Echo: answers, delays, failures, events, errors and load, as much as is asked for: the tool for trying and measuring
// a mesh.
#pragma once
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

#include "agents/echo/latencies.hpp"
#include "weft/agent/agent.hpp"

namespace weft::echo {

inline constexpr std::uint64_t kPerTurn = 256;  ///< messages sent in one turn of the loop; more would delay the others

inline Error bad(const std::string& what) { return Error(codes::bad_payload, "echo: " + what); }

struct Settings {
  std::int64_t size_max_bytes = 8 * 1024 * 1024;  ///< of one answer or event
  std::int64_t rate_max = 100'000;                ///< a second: of load, reports and events
  std::string hear;                               ///< subscribes to this pattern; empty: to nothing
  Duration hear_time{};                           ///< its handler takes so long for each event
  std::string check_file;                         ///< its health check `file` fails while this is missing; empty: none
  Duration check_interval = std::chrono::seconds(10);
  WEFT_FIELDS(Settings, size_max_bytes, rate_max, hear, hear_time, check_file, check_interval)
};

struct DelayRequest {
  std::int64_t ms = 0;
  WEFT_FIELDS(DelayRequest, ms)
};
struct SizeRequest {
  std::int64_t bytes = 0;
  WEFT_FIELDS(SizeRequest, bytes)
};
struct FailRequest {
  std::string kind = "internal", code = "ECHO_FAILED", message = "as wanted";
  WEFT_FIELDS(FailRequest, kind, code, message)
};
struct ThrowRequest {
  std::string message = "as wanted";
  WEFT_FIELDS(ThrowRequest, message)
};
/// What echo says of its own health from now on: "pass", "warn" or "critical".
struct HealthRequest {
  std::string state = "pass", text;
  WEFT_FIELDS(HealthRequest, state, text)
};
/// `times` exceptions in a supervised actor of echo, one after the other.
struct CrashRequest {
  std::int64_t times = 1;
  std::string message = "as wanted";
  WEFT_FIELDS(CrashRequest, times, message)
};
/// Does nothing but fail; what supervision does about it shows in `weft tree echo` and on the error bus.
class Fragile {
 public:
  struct Crash {
    std::string message;
  };
  using Messages = actor::Handles<Crash>;
  void on(const Crash& crash) { throw std::runtime_error(crash.message); }
};
/// `rate` 0: as fast as it goes.
struct BurstRequest {
  std::int64_t count = 1, size = 0;
  double rate = 0;
  WEFT_FIELDS(BurstRequest, count, size, rate)
};
/// What is published on echo.<host>.burst.
struct BurstEvent {
  std::uint64_t number = 0, of = 0;  ///< from 1
  std::string filler;
  WEFT_FIELDS(BurstEvent, number, of, filler)
};
/// Errors numbered `first`, `first`+1, … in values.number. `background`: the answer does not wait for the last one.
struct ReportRequest {
  std::int64_t count = 1, first = 1;
  double rate = 0;
  Severity severity = Severity::error;
  std::string code = "ECHO_REPORT", run;  ///< run: any word, in values.run
  bool background = false;
  WEFT_FIELDS(ReportRequest, count, first, rate, severity, code, run, background)
};
struct Done {
  std::uint64_t count = 0;
  double seconds = 0;
  WEFT_FIELDS(Done, count, seconds)
};
struct LoadRequest {
  std::string target;  ///< "agent.method"
  double rate = 100, seconds = 1;
  std::int64_t timeout_ms = 1000;
  std::int64_t in_flight_max = 10'000;  ///< calls that would be more are not sent, and counted as held_back
  Value payload;
  std::string host;  ///< only instances there
  WEFT_FIELDS(LoadRequest, target, rate, seconds, timeout_ms, in_flight_max, payload, host)
};
struct LoadReply {
  std::uint64_t sent = 0, ok = 0, failed = 0, held_back = 0;
  std::map<std::string, std::uint64_t> errors;       ///< by code
  std::uint64_t p50_us = 0, p99_us = 0, max_us = 0;  ///< of those that were answered
  double seconds = 0;
  WEFT_FIELDS(LoadReply, sent, ok, failed, held_back, errors, p50_us, p99_us, max_us, seconds)
};

/// A call on behalf of the caller: its deadline, trace and chain go on.
struct RelayRequest {
  std::string target;     ///< "agent.method"
  std::string host;       ///< only instances there
  bool by_actor = false;  ///< an actor makes the call, in the trace of the message that asks it to
  Value payload;
  WEFT_FIELDS(RelayRequest, target, host, by_actor, payload)
};
/// Makes calls for others, one after another.
class Messenger {
 public:
  using Messages = actor::Handles<RelayRequest>;
  explicit Messenger(Agent& agent) : agent_(agent) {}
  Task<Result<Payload>> on(RelayRequest request);

 private:
  Agent& agent_;
};
/// A stream of `bytes` in pieces of `chunk`; `target`, `host` and `window` are for fetch and feed.
struct BlobRequest {
  std::int64_t bytes = 0, chunk = 65'536;
  std::string target, host;
  std::int64_t window = 1024 * 1024;  ///< bytes of fetch's stream on their way
  WEFT_FIELDS(BlobRequest, bytes, chunk, target, host, window)
};
/// What is left of the caller's budget as the handler sees it; -1: there is no deadline.
struct Left {
  double left_ms = -1;
  WEFT_FIELDS(Left, left_ms)
};
/// Events that its handler was given for `hear`, and how many it was told are missing before them.
struct Heard {
  std::uint64_t count = 0, missed = 0;
  WEFT_FIELDS(Heard, count, missed)
};
struct Blob {
  std::int64_t bytes = 0, chunks = 0;
  double seconds = 0;
  WEFT_FIELDS(Blob, bytes, chunks, seconds)
};

class Echo {
 public:
  Echo(Settings settings, Agent& agent);

 private:
  void serve_answers();
  void serve_crashes();
  void serve_health();
  void serve_floods();
  void serve_hearing();
  void serve_streams();
  Task<Result<DelayRequest>> delay(DelayRequest request);
  Task<Result<Payload>> size(SizeRequest request);
  Task<Result<Value>> fail(FailRequest request);
  Task<Result<Payload>> relay(RelayRequest request, Call& call);
  Task<Result<Done>> burst(BurstRequest request, const Call& call);
  Task<Result<Done>> report(ReportRequest request, const Call& call);
  Task<Done> report_all(ReportRequest request, const Call* call);  // none: to the end, whoever waits
  Task<Result<LoadReply>> load(LoadRequest request, Call& call);
  Task<Result<Blob>> fetch(Value value, Call& call);
  Task<Result<Blob>> feed(Value value, Call& call);
  Result<void> check_rate(double rate, std::int64_t count) const;

  Settings settings_;
  Agent& agent_;
  Heard heard_;
  actor::Ref<Fragile> fragile_;
  actor::Ref<Messenger> messenger_;
};

}  // namespace weft::echo
