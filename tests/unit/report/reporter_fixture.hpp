// What the tests of the reporter share: a bus whose answers a test decides, and a reporter that reports to it.
#pragma once
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/report/reporter.hpp"

namespace weft::report {

struct ReporterFixture {
  test::ManualLoop loop;
  test::TempDir dir;
  observe::Metrics metrics;
  observe::Log log{{}, loop.clock(), [](std::string_view) {}};
  ErrorReporter::Options options;
  std::vector<ErrorEvent> bus;  // what the bus took, in order
  std::vector<std::size_t> batches;
  using Answer = std::function<Result<ReportReply>(const ReportRequest&)>;
  const Answer take = [this](const ReportRequest& request) {
    bus.insert(bus.end(), request.events.begin(), request.events.end());
    return Result<ReportReply>(ReportReply{request.events.size(), 0});
  };
  const Answer away = [](const ReportRequest&) -> Result<ReportReply> {
    return Error(codes::no_responders, "nobody is there");
  };
  Answer answer = take;
  std::unique_ptr<ErrorReporter> reporter;

  ReporterFixture() {
    options.host = "alpha";
    options.agent = "echo";
    options.version = "1.2.3";
    options.config_hash = "c0ffee";
    options.instance.bytes[0] = 7;
    options.spool_file = dir / "spool/echo@alpha.events";
  }
  void start() {
    reporter.reset();
    reporter = std::make_unique<ErrorReporter>(
        loop, options, [this](ReportRequest request) { return send(std::move(request)); }, metrics, log);
  }
  Task<Result<ReportReply>> send(ReportRequest request) {
    batches.push_back(request.events.size());
    co_await sleep_for(loop, 1ms);
    co_return answer(request);
  }
  void report(std::uint64_t first, std::uint64_t last) {
    for (auto& event : test::numbered_events(first, last)) reporter->report(std::move(event));
  }
  std::uint64_t folded(const std::string& reason) {
    return metrics.counter("weft_errors_folded_total", "", {{"reason", reason}}).value();
  }
  /// How many events those of the bus stand for.
  std::uint64_t counted() const {
    std::uint64_t events = 0;
    for (const auto& event : bus) events += 1 + event.repeated;
    return events;
  }
  std::uint64_t dropped(const std::string& reason) {
    return metrics.counter("weft_errors_dropped_total", "", {{"reason", reason}}).value();
  }
  void damage(std::uint64_t offset) {
    std::fstream file(options.spool_file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put('\x55');
  }
};

}  // namespace weft::report
