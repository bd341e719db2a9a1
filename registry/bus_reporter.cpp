#include "registry/bus_reporter.hpp"

namespace weft::registry {
namespace {

constexpr Duration kTimeout = 2s;

report::ErrorReporter::Options options_of(const peer::Peer& peer) {
  report::ErrorReporter::Options options;
  options.host = peer.options().host;
  options.agent = peer.options().agent;
  options.version = peer.options().version;
  options.instance = peer.options().instance;
  return options;
}

}  // namespace

BusReporter::BusReporter(Loop& loop, peer::Peer& peer, const Book& book, observe::Metrics& metrics, observe::Log& log)
    : peer_(peer),
      book_(book),
      reporter_(
          loop, options_of(peer), [this](report::ReportRequest request) { return send(std::move(request)); }, metrics,
          log) {}

void BusReporter::report(Severity severity, const Code& code, std::string message, std::string why) {
  ErrorEvent event;
  event.severity = severity;
  event.category = "registry";
  event.code = code.id;
  event.message = std::move(message);
  event.values["why"] = std::move(why);
  reporter_.report(std::move(event));
}

Task<Result<report::ReportReply>> BusReporter::send(report::ReportRequest request) {
  const wire::InstanceRecord* bus = book_.view().holder("errorbus@" + book_.host());
  if (bus == nullptr) co_return Error(codes::bus_unavailable, "no error bus is registered on " + book_.host());
  calls::CallOptions call;
  call.timeout = kTimeout;
  auto reply = co_await peer_.call_at(bus->call_endpoint, "errorbus.report", wire::Payload::of(request), call);
  if (!reply) co_return reply.error();
  co_return reply->as<report::ReportReply>();
}

}  // namespace weft::registry
