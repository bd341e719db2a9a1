// Relay: brings what the journal holds to the hub, in order, until the hub has acknowledged it. At least once; the hub
// drops what it has by id. Private to errorbus. Loop-bound.
#pragma once
#include <functional>

#include "errorbus/journal.hpp"
#include "weft/report/courier.hpp"

namespace weft::errorbus {

class Relay final : private report::Courier::Source {
 public:
  struct Options {
    std::string host;             ///< told to the hub as ReportRequest::via
    std::size_t batch_max = 512;  ///< events a request
    std::size_t bytes_max = 1024 * 1024;
    Duration retry_min = 100ms;  ///< doubled after each failure up to retry_max
    Duration retry_max = 1s;
  };
  /// `bad_event` (and `too_large`, `bad_payload`) of a single event leave it out, any other error is tried again.
  using Send = report::Courier::Send;

  Relay(Loop& loop, Journal& journal, Options options, Send send, observe::Metrics& metrics, observe::Log& log,
        ErrorSink& errors);

  /// There is something new in the journal.
  void wake() { courier_.wake(); }
  /// Why the last attempt failed; empty: it did not.
  const std::string& error() const noexcept { return error_; }

 private:
  Result<std::vector<ErrorEvent>> next(std::size_t events_max) override;
  void delivered(std::size_t events) override;
  void rejected(const Error& error) override;
  void failed(const Error& error) override;
  void tell(const Error& error);

  Journal& journal_;
  Options options_;
  observe::Log& log_;
  ErrorSink& errors_;
  observe::Counter& sent_;
  observe::Counter& failures_;
  observe::Counter& refused_;
  std::string error_;
  Journal::Batch batch_;  // of the latest next()
  report::Courier courier_;
};

}  // namespace weft::errorbus
