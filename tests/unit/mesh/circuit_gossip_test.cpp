#include "weft/mesh/circuit_gossip.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture {
  Random random{7};
  const Ulid place = Ulid::make(WallTime(1s), random), other = Ulid::make(WallTime(1s), random),
             caller = Ulid::make(WallTime(1s), random);
  const TimePoint now{1h};
  OutgoingReports told;
  PeerReports heard;

  /// How many of them were not heard before.
  std::size_t fresh(std::vector<CircuitNews> reports) {
    InstanceRecord record;
    record.instance = caller;
    record.circuits = std::move(reports);
    return heard.fresh(record).size();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "of each circuit the latest is told, until it is over") {
  CHECK(told.list(now).empty());
  told.put("work.do", place, BreakerState::open, now + 5s);
  told.put("work.do", other, BreakerState::open, now + 9s);
  CHECK(told.holds_open("work.do", place));
  told.put("work.do", place, BreakerState::closed, now + 6s);
  CHECK_FALSE(told.holds_open("work.do", place));
  CHECK_FALSE(told.holds_open("work.undo", other));
  const auto reports = told.list(now + 6s - 1ns);
  REQUIRE(reports.size() == 2);
  CHECK(reports[1] == CircuitNews{"work.do", place, "closed", 3});
  CHECK(told.list(now + 6s).size() == 1);
  CHECK(told.list(now + 9s).empty());
}

TEST_CASE_METHOD(Fixture, "of too many the latest are told") {
  for (std::size_t i = 0; i < kCircuitNewsMax + 1; ++i)
    told.put("work.m" + std::to_string(i), place, BreakerState::open, now + 5s);
  const auto reports = told.list(now);
  REQUIRE(reports.size() == kCircuitNewsMax);
  CHECK(reports.front().target == "work.m1");
  CHECK(reports.back().target == "work.m" + std::to_string(kCircuitNewsMax));
}

TEST_CASE_METHOD(Fixture, "what stands in a record for a while is heard one time") {
  told.put("work.do", place, BreakerState::open, now + 5s);
  CHECK(fresh(told.list(now)) == 1);
  CHECK(fresh(told.list(now)) == 0);
  told.put("work.do", other, BreakerState::open, now + 5s);
  CHECK(fresh(told.list(now)) == 1);
  CHECK(fresh({}) == 0);
  CHECK(fresh(told.list(now)) == 0);
  heard.gone(caller);
  CHECK(fresh(told.list(now)) == 2);
  CHECK(fresh(std::vector<CircuitNews>(1000, {"work.do", place, "open", 77})) == kCircuitNewsMax);
}

TEST_CASE_METHOD(Fixture, "an opening is remembered for circuits to come, until it is closed or over") {
  const auto by = std::make_shared<const ReportingCaller>(ReportingCaller{caller, "digest@alpha"});
  CHECK(heard.find("work.do", place, now) == nullptr);
  heard.open("work.do", place, {by, now + 4s, now + 9s});
  REQUIRE(heard.find("work.do", place, now) != nullptr);
  CHECK(heard.find("work.do", place, now)->by->name == "digest@alpha");
  CHECK(heard.find("work.do", other, now) == nullptr);
  CHECK(heard.find("work.do", place, now + 4s) == nullptr);
  std::vector<std::string> over;
  const auto note = [&](const std::string& target, const Ulid&) { over.push_back(target); };
  heard.expire(now + 9s - 1ns, note);
  CHECK(over.empty());
  heard.expire(now + 9s, note);
  CHECK(over == std::vector<std::string>{"work.do"});
  CHECK(heard.empty());
  heard.open("work.do", place, {by, now + 4s, now + 9s});
  heard.closed("work.do", place);
  CHECK(heard.empty());
}

TEST_CASE_METHOD(Fixture, "openings are bounded in number, and those that are there can be renewed") {
  const auto by = std::make_shared<const ReportingCaller>();
  const auto open = [&](std::size_t i, TimePoint until) {
    heard.open("work.m" + std::to_string(i), place, {by, until, until});
  };
  for (std::size_t i = 0; i <= PeerReports::kItemsMax; ++i) open(i, now + 4s);
  CHECK(heard.find("work.m0", place, now) != nullptr);
  CHECK(heard.find("work.m" + std::to_string(PeerReports::kItemsMax), place, now) == nullptr);
  open(0, now + 8s);
  CHECK(heard.find("work.m0", place, now + 5s) != nullptr);
}

TEST_CASE("a word of a newer release is none") {
  CHECK(state_named("half_open") == BreakerState::half_open);
  CHECK_FALSE(state_named("ajar"));
  CHECK_FALSE(state_named(""));
}

TEST_CASE("whoever was told goes before the teller, and of a thousand few go at once") {
  Random random(11);
  std::vector<double> parts(1000);
  for (auto& part : parts) part = hold_part(random.unit());
  CHECK(hold_part(0) == Approx(0.5));
  CHECK(hold_part(1) == Approx(0.95));
  const double first = *std::min_element(parts.begin(), parts.end());
  const auto soon = std::count_if(parts.begin(), parts.end(), [&](double part) { return part < first + 0.01; });
  CHECK(soon <= 10);  // 50 ms of 5 s: in which the first one's probe becomes known
}
