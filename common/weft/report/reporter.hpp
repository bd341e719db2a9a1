// ErrorReporter: keeps error events until the bus has acknowledged them: in a bounded ring, and in a file while the bus
// is away. Of what has no room in either one sample for each issue says how many there were. At least once; the bus
// drops what it has by id. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "weft/base/base.hpp"
#include "weft/observe/observe.hpp"

namespace weft::report {

/// `errorbus.report`: ReportRequest -> ReportReply, when every event is in the bus's journal. Errors: `journal_failed`,
/// `bad_event` (names the first bad one; none was taken).
struct ReportRequest {
  std::vector<ErrorEvent> events;
  std::string via;  ///< host of the bus that forwards them; empty: they come from an agent
  WEFT_FIELDS(ReportRequest, events, via)
};
struct ReportReply {
  std::uint64_t accepted = 0;    ///< new to this bus
  std::uint64_t duplicates = 0;  ///< already there by id
  WEFT_FIELDS(ReportReply, accepted, duplicates)
};

class ErrorReporter final : public ErrorSink {
 public:
  struct Options {
    std::string host, agent, version, config_hash;  ///< filled into events that lack them
    Ulid instance;
    std::string spool_file;         ///< empty: memory only
    std::size_t ring_max = 10'000;  ///< events in memory; more go to the file, or only their number is kept
    std::size_t spool_bytes_max = 64 * 1024 * 1024;
    std::size_t batch_max = 256;  ///< events a request
    Duration retry = 250ms;       ///< first delay after a failure, doubled up to 2 s
  };
  /// Sends one batch; what comes back decides: ok or `bad_event` removes it, anything else is tried again.
  using Send = std::function<Task<Result<ReportReply>>(ReportRequest)>;

  ErrorReporter(Loop& loop, Options options, Send send, observe::Metrics& metrics, observe::Log& log);
  ~ErrorReporter() override;
  void set_epoch(std::uint64_t epoch) noexcept;
  void report(ErrorEvent event) noexcept override;
  /// Something changed for the better (a bus came back): try now.
  void wake();
  std::size_t unacknowledged() const noexcept;
  /// Writes what is left in memory to the spool file; call before the process ends. Without a file it is counted as
  /// dropped.
  void close() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::report
