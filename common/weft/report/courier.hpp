// Courier: brings error events to a bus in order, a batch at a time, until each is acknowledged. At least once.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "weft/base/backoff.hpp"
#include "weft/base/loop.hpp"
#include "weft/base/task.hpp"
#include "weft/report/reporter.hpp"

namespace weft::report {

/// Loop-bound. A batch in which the bus rejects an event is halved until that event is alone; a batch that succeeds
/// doubles the next one. After any other failure the same events are sent again, with exponential backoff.
class Courier {
 public:
  /// The queue of unacknowledged events. delivered() and rejected() are about the events of the latest next().
  class Source {
   public:
    virtual ~Source() = default;
    /// The oldest events, at most `events_max` and of a size that one request may have; empty: none wait. An error is
    /// a failure like one of sending.
    virtual Result<std::vector<ErrorEvent>> next(std::size_t events_max) = 0;
    /// The bus has acknowledged all of them: `events` many.
    virtual void delivered(std::size_t events) = 0;
    /// The bus will never accept the one event that next() returned.
    virtual void rejected(const Error& error) = 0;
    /// They will be sent again.
    virtual void failed(const Error& error) = 0;
  };
  struct Options {
    std::size_t batch_max = 256;  ///< events a request
    Duration retry_min{}, retry_max{};
    std::string via;  ///< ReportRequest::via
  };
  /// `bad_event`, `too_large` and `bad_payload` reject the batch; any other error, or an exception, is a failure.
  using Send = std::function<Task<Result<ReportReply>>(ReportRequest)>;

  /// `source` must outlive it.
  Courier(Loop& loop, Source& source, Options options, Send send);

  /// The source has events. No effect while a batch is being sent or a retry is due.
  void wake();
  /// The bus may be back: the next wake() sends at once, and later retries begin with the least delay again.
  void forget_failures();
  bool idle() const noexcept { return !running_ && !retry_.running(); }
  /// Abandons the batch that is being sent, and sends no more.
  void stop();

 private:
  Task<void> run();
  Task<Result<ReportReply>> attempt(ReportRequest request);
  bool settle(std::size_t events, const Result<ReportReply>& outcome);
  void failed(const Error& error);

  Source& source_;
  Options options_;
  Send send_;
  std::size_t batch_max_;
  Backoff backoff_;
  bool running_ = false;
  Timer retry_;
  TaskScope scope_;
};

}  // namespace weft::report
