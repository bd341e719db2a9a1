#include "agents/probe/target.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
TargetSettings tcp(std::string name, std::string address) {
  TargetSettings settings;
  settings.name = std::move(name);
  settings.tcp = std::move(address);
  return settings;
}
TargetSettings http(std::string name, std::string url) {
  TargetSettings settings;
  settings.name = std::move(name);
  settings.http = std::move(url);
  return settings;
}
}  // namespace

TEST_CASE("a target takes what it does not say from the agent") {
  auto own = tcp("b", "db.lan:5432");
  own.period = 1s;
  own.fall = 5;
  own.severity = Severity::critical;
  const auto targets = targets_of({tcp("a", "10.0.0.1:22"), own}, {30s, 3s, 1, 2, Severity::warning, {}});
  REQUIRE(targets);
  REQUIRE(targets->size() == 2);
  CHECK(targets->at(0).period == 30s);
  CHECK(targets->at(0).severity == Severity::warning);
  CHECK(targets->at(0).host == "10.0.0.1");
  CHECK(targets->at(0).port == 22);
  CHECK(targets->at(1).period == 1s);
  CHECK(targets->at(1).timeout == 3s);
  CHECK(targets->at(1).fall == 5);
  CHECK(targets->at(1).severity == Severity::critical);
}

TEST_CASE("no targets are fine") { CHECK(targets_of({}, {})->empty()); }

TEST_CASE("addresses are host and port, IPv6 in brackets") {
  CHECK(targets_of({tcp("a", "[::1]:80")}, {})->at(0).host == "::1");
  for (const auto* bad : {"host", "host:", ":80", "host:0", "host:65536", "host:8x", "::1:80", "[]:80", "[::1]"}) {
    CAPTURE(bad);
    CHECK_FALSE(targets_of({tcp("a", bad)}, {}));
  }
}

TEST_CASE("every wrong target is told at once, by its name") {
  auto both = tcp("both", "h:1");
  both.http = "http://h";
  auto zero = tcp("zero", "h:1");
  zero.period = Duration::zero();
  auto rise = tcp("rise", "h:1");
  rise.rise = 0;
  auto status = tcp("status", "h:1");
  status.status = {200};
  const auto made = targets_of({both, zero, rise, status, http("tls", "https://h"), tcp("a.b", "h:1"),
                                tcp("same", "h:1"), tcp("same", "h:2"), TargetSettings{}},
                               {});
  REQUIRE_FALSE(made);
  const auto& text = made.error().message;
  for (const auto* part : {"'both': wanted one of", "'zero': period", "'rise': rise", "'status': 'status'",
                           "'tls': http:", "'a.b'", "'same': the name is used twice", "target ''"}) {
    CAPTURE(part, text);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("an answer is judged by its status and its text") {
  auto settings = http("web", "http://h/");
  auto target = targets_of({settings}, {})->at(0);
  CHECK(judge(target, 200, ""));
  CHECK(judge(target, 399, ""));
  CHECK(judge(target, 404, "").error().message == "answered with status 404");
  CHECK_FALSE(judge(target, 199, ""));
  settings.status = {404};
  settings.contains = "gone";
  target = targets_of({settings}, {})->at(0);
  CHECK(judge(target, 404, "it is gone"));
  CHECK_FALSE(judge(target, 200, "gone"));
  CHECK_FALSE(judge(target, 404, ""));
}

TEST_CASE("{address} is the address of this host") {
  Defaults defaults;
  defaults.host_address = "10.0.0.7";
  CHECK(targets_of({tcp("a", "{address}:7411")}, defaults)->at(0).host == "10.0.0.7");
  CHECK(targets_of({http("a", "http://{address}:80/")}, defaults)->at(0).url == "http://10.0.0.7:80/");
}
