// BusReporter: the registry's own errors, on the error bus of its host, which it finds in its own records. Private to
// registry. Loop-bound.
#pragma once
#include "registry/book.hpp"
#include "weft/peer/peer.hpp"
#include "weft/report/reporter.hpp"

namespace weft::registry {

class BusReporter {
 public:
  /// Borrows all. Events wait in memory until the bus has acknowledged them; it may start later than the registry.
  BusReporter(Loop& loop, peer::Peer& peer, const Book& book, observe::Metrics& metrics, observe::Log& log);

  /// `message` has "{why}" in it.
  void report(Severity severity, const Code& code, std::string message, std::string why);

 private:
  Task<Result<report::ReportReply>> send(report::ReportRequest request);

  peer::Peer& peer_;
  const Book& book_;
  report::ErrorReporter reporter_;
};

}  // namespace weft::registry
