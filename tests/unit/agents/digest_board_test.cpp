#include "agents/digest/board.hpp"

#include <limits>

#include "tests/support/catch.hpp"
#include "weft/base/request.hpp"

using namespace weft;
using namespace weft::digest;

namespace {
const TimePoint kStart{std::chrono::hours(1)};
}

TEST_CASE("a summary tells the figures of the hosts and series that are asked for") {
  Board board({});
  board.add("alpha", "cpu.busy", 0.5, kStart);
  board.add("alpha", "load.one", 2, kStart);
  board.add("beta", "cpu.busy", 0.25, kStart);
  CHECK(board.summary({}, kStart)->hosts.size() == 2);
  const auto beta = board.summary({"beta", "", Span::hour}, kStart);
  REQUIRE(beta->hosts.size() == 1);
  CHECK(beta->hosts.at("beta").at("cpu.busy").mean == 0.25);
  const auto cpu = board.summary({"", "cpu.*", Span::five_minutes}, kStart);
  CHECK(cpu->hosts.at("alpha").size() == 1);
}

TEST_CASE("a host that nobody knows and a bad pattern are told") {
  Board board({});
  CHECK(board.summary({"gamma", "", Span::minute}, kStart).error().message ==
        "no figures of host 'gamma'; known: none");
  board.add("alpha", "x", 1, kStart);
  CHECK(board.summary({"gamma", "", Span::minute}, kStart).error().kind == ErrorKind::not_found);
  CHECK(board.summary({"", "a..b", Span::minute}, kStart).error().is(codes::bad_topic));
}

TEST_CASE("hosts and series over the limits are refused and counted, the known ones go on") {
  Board board({2, 3, 1h});
  CHECK(board.add("a", "x", 1, kStart));
  CHECK(board.add("b", "x", 1, kStart));
  CHECK_FALSE(board.add("c", "x", 1, kStart));
  CHECK(board.add("a", "y", 1, kStart));
  CHECK_FALSE(board.add("b", "y", 1, kStart));
  CHECK(board.add("b", "x", 2, kStart));
  CHECK(board.refused() == 2);
  CHECK(board.series_count() == 3);
}

TEST_CASE("what is no number is refused") {
  Board board({});
  CHECK_FALSE(board.add("a", "x", std::numeric_limits<double>::quiet_NaN(), kStart));
  CHECK_FALSE(board.add("a", "x", std::numeric_limits<double>::infinity(), kStart));
  CHECK(board.host_count() == 0);
}

TEST_CASE("silent series and hosts are forgotten and make room") {
  Board board({1, 2, 1h});
  board.add("a", "x", 1, kStart);
  board.add("a", "y", 1, kStart + 30min);
  CHECK(board.expire(kStart + 1h).empty());
  CHECK(board.expire(kStart + 1h + 1ns).empty());
  CHECK(board.series_count() == 1);
  CHECK(board.expire(kStart + 2h) == std::vector<std::string>{"a"});
  CHECK(board.add("b", "x", 1, kStart + 2h));
}

TEST_CASE("hosts are told with their age") {
  Board board({});
  board.add("alpha", "x", 1, kStart);
  const auto hosts = board.hosts(kStart + 1500ms);
  REQUIRE(hosts.size() == 1);
  CHECK(hosts[0].host == "alpha");
  CHECK(hosts[0].age == 1.5);
  CHECK(hosts[0].series == 1);
}

TEST_CASE("a request may be nothing, and its mistakes are told") {
  CHECK(request_of<SummaryRequest>(Value())->window == Span::minute);
  CHECK(request_of<SummaryRequest>(Value(Bytes()))->host.empty());
  CHECK(request_of<SummaryRequest>(*from_json(R"({"window": "1h"})"))->window == Span::hour);
  const auto wrong = request_of<SummaryRequest>(*from_json(R"({"hots": "a"})"));
  CHECK(wrong.error().is(codes::bad_payload));
  CHECK(wrong.error().message.find("host") != std::string::npos);
  CHECK_FALSE(request_of<SummaryRequest>(*from_json(R"({"window": "2m"})")));
}
