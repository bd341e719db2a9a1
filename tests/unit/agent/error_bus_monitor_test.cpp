#include "weft/agent/error_bus_monitor.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;

namespace {
actor::MonitorEvent failed(std::string what) {
  actor::MonitorEvent event;
  event.level = actor::Level::error;
  event.kind = "failed";
  event.name = "lamp";
  event.fields = {{"what", std::move(what)},
                  {"exception", "std::out_of_range"},
                  {"stack", "#0 0x1 in f from app"},
                  {"restarts", "3"}};
  return event;
}
}  // namespace

TEST_CASE("what failed in an actor is an event with the type of the exception and its text") {
  const ErrorEvent event = error_event_of(failed("no bulb"));
  CHECK(event.code == codes::actor_failed.id);
  CHECK(event.severity == Severity::error);
  CHECK(event.exception == "std::out_of_range");
  CHECK(event.values.at("what") == Value("no bulb"));
  CHECK(event.values.at("restarts") == Value(3));
  CHECK(event.stack == "#0 0x1 in f from app");
  CHECK_FALSE(event.values.contains("exception"));
  CHECK_FALSE(event.values.contains("stack"));
  CHECK(event.text() == "actor lamp: failed: no bulb");
}

TEST_CASE("events go to the loop in order, and beyond the limit their number goes") {
  test::ManualLoop loop;
  std::vector<std::string> texts;
  std::uint64_t counted = 0;
  ErrorBusMonitor monitor(loop, [&](ErrorEvent event) {
    texts.push_back(event.values.at("what").as_string());
    counted += 1 + event.repeated;
  });
  for (std::uint64_t n = 0; n < ErrorBusMonitor::kWaitingMax + 5; ++n) monitor.record(failed(std::to_string(n)));
  CHECK(texts.empty());
  loop.advance(1ms);
  REQUIRE(texts.size() == ErrorBusMonitor::kWaitingMax + 1);
  CHECK(texts.front() == "0");
  CHECK(texts.back() == std::to_string(ErrorBusMonitor::kWaitingMax));
  CHECK(counted == ErrorBusMonitor::kWaitingMax + 5);
  CHECK(monitor.dropped() == 0);
  monitor.record(failed("whole again"));
  loop.advance(1ms);
  CHECK(texts.back() == "whole again");
}

TEST_CASE("beyond the limit further issues are dropped and counted") {
  test::ManualLoop loop;
  std::uint64_t counted = 0;
  ErrorBusMonitor monitor(loop, [&](const ErrorEvent& event) { counted += 1 + event.repeated; });
  for (std::uint64_t n = 0; n < ErrorBusMonitor::kWaitingMax; ++n) monitor.record(failed("x"));
  for (std::uint64_t n = 0; n < 300; ++n) {
    auto event = failed("x");
    event.fields[1].value = std::string(n + 1, 'x');  // an exception of a type of its own
    monitor.record(std::move(event));
  }
  CHECK(monitor.dropped() == 300 - report::Folds::kIssuesMax);
  loop.advance(1ms);
  CHECK(counted == ErrorBusMonitor::kWaitingMax + report::Folds::kIssuesMax);
}
