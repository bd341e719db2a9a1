// Relay: brings what the journal holds to the hub, in order, until the hub has acknowledged it. At least once; the hub
// drops what it has by id. Private to errorbus. Loop-bound.
#pragma once
#include <functional>

#include "errorbus/journal.hpp"
#include "weft/report/reporter.hpp"

namespace weft::errorbus {

class Relay {
 public:
  struct Options {
    std::string host;             ///< told to the hub as ReportRequest::via
    std::size_t batch_max = 512;  ///< events a request
    std::size_t bytes_max = 1024 * 1024;
    Duration retry_min = std::chrono::milliseconds(100);  ///< doubled after each failure up to retry_max
    Duration retry_max = std::chrono::seconds(1);
  };
  /// `bad_event` (and `too_large`, `bad_payload`) of a single event leave it out, any other error is tried again.
  using Send = std::function<Task<Result<report::ReportReply>>(report::ReportRequest)>;

  Relay(Loop& loop, Journal& journal, Options options, Send send, observe::Metrics& metrics, observe::Log& log,
        ErrorSink& errors);

  /// There is something new in the journal.
  void wake();
  /// Why the last attempt failed; empty: it did not.
  const std::string& error() const noexcept { return error_; }

 private:
  Task<void> run();
  Task<Result<report::ReportReply>> attempt(const Journal::Batch& batch);
  /// True: go on at once. False: the retry timer runs.
  bool settle(const Journal::Batch& batch, const Result<report::ReportReply>& outcome);
  bool refused(const Journal::Batch& batch, const Error& error);
  void failed(const Error& error);
  void tell(const Error& error);

  Journal& journal_;
  Options options_;
  Send send_;
  observe::Log& log_;
  ErrorSink& errors_;
  observe::Counter& sent_;
  observe::Counter& failures_;
  observe::Counter& refused_;
  std::string error_;
  std::size_t batch_max_;
  Duration delay_;
  bool running_ = false;
  Timer retry_;
  TaskScope scope_;
};

}  // namespace weft::errorbus
