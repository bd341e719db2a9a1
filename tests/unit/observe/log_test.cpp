#include <thread>

#include "tests/support/catch.hpp"
#include "weft/base/trace_context.hpp"
#include "weft/observe/observe.hpp"
#include "weft/observe/span.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
struct LogFixture {
  Log make(LogOptions options) {
    return Log(std::move(options), clock, [this](std::string_view line) { lines.emplace_back(line); });
  }
  Value last() const { return *from_json(lines.back()); }
  ManualClock clock;
  std::vector<std::string> lines;
};
const LogOptions kAgent{.agent = "digest", .instance = "01J", .host = "alpha", .version = "0.1.0"};
}  // namespace

TEST_CASE_METHOD(LogFixture, "a record is one JSON object with who said it") {
  auto log = make(kAgent);
  log.info("window closed", {{"series", "cpu"}, {"count", 3}});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with(
      R"({"ts":"2023-11-14T22:13:20.000000Z","level":"info","msg":"window closed","agent":"digest",)"
      R"("instance":"01J","host":"alpha","version":"0.1.0","pid":)"));
  CHECK(last()["series"] == Value("cpu"));
  CHECK(last()["count"] == Value(3));
}

TEST_CASE_METHOD(LogFixture, "an instance that becomes known later is in the lines from then on") {
  auto log = make({.agent = "digest"});
  log.info("first");
  CHECK(last()["instance"].is_null());
  log.set_instance("01K");
  log.info("second");
  CHECK(last()["instance"] == Value("01K"));
}

TEST_CASE_METHOD(LogFixture, "an error is told with its code, its message and what to do") {
  auto log = make({});
  log.error("publish failed", Error(codes::queue_full, "42 waiting", "send less"), {{"peer", "x"}});
  CHECK(last()["level"] == Value("error"));
  CHECK(last()["code"] == Value("WEFT-2009"));
  CHECK(last()["error"] == Value("42 waiting"));
  CHECK(last()["hint"] == Value("send less"));
  CHECK(last()["peer"] == Value("x"));
}

TEST_CASE_METHOD(LogFixture, "what is said while work of a trace is done has its ids, and nothing before and after") {
  auto log = make(kAgent);
  const auto trace = *traceparent_from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  log.info("before");
  {
    const TraceScope scope(trace);
    log.info("within", {{"trace_id", "mine"}});
  }
  log.info("after", {{"trace_id", "mine"}});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find("trace_id") == std::string::npos);
  const Value within = *from_json(lines[1]);
  CHECK(within["trace_id"] == Value("0af7651916cd43dd8448eb211c80319c"));
  CHECK(within["span_id"] == Value("b7ad6b7169203331"));
  CHECK(within["trace_flags"] == Value("01"));
  CHECK(within["fields.trace_id"] == Value("mine"));
  CHECK(last()["trace_id"] == Value("mine"));

  lines.clear();
  auto text = make({.format = LogOptions::Format::text});
  const TraceScope scope(trace);
  text.info("within", {{"a", 1}});
  CHECK(lines[0].ends_with("within a=1 trace_id=0af7651916cd43dd8448eb211c80319c"));
}

TEST_CASE_METHOD(LogFixture, "a level below the one set is not written, and the level can be changed") {
  auto log = make({.level = Level::warn});
  log.info("no");
  CHECK(lines.empty());
  CHECK_FALSE(log.enabled(Level::info));
  log.set_level(Level::debug);
  log.debug("yes");
  CHECK(lines.size() == 1);
}

TEST_CASE_METHOD(LogFixture, "a line stays one valid JSON object whatever its fields hold") {
  auto log = make({.agent = "digest"});
  log.info("odd", {{"agent", "other"}, {"text", "a\nb\"\xFF\xC0\xAF ü"}, {"long", std::string(20'000, 'x')}});
  REQUIRE(from_json(lines.back()));
  CHECK(last()["agent"] == Value("digest"));
  CHECK(last()["fields.agent"] == Value("other"));
  CHECK(last()["text"].as_string().starts_with("a\nb\"\xEF\xBF\xBD"));
  CHECK(last()["text"].as_string().ends_with(" ü"));
  CHECK(last()["long"].as_string().size() < 9'000);
  CHECK(lines.back().find('\n') == std::string::npos);
}

TEST_CASE_METHOD(LogFixture, "what is named like a secret is not written") {
  auto log = make({});
  log.info("login", {{"db_password", "hunter2"}, {"Token", "abc"}, {"user", "joe"}});
  CHECK(lines.back().find("hunter2") == std::string::npos);
  CHECK(lines.back().find("abc") == std::string::npos);
  CHECK(last()["user"] == Value("joe"));
}

TEST_CASE_METHOD(LogFixture, "text is for people: time, level, message, fields") {
  auto log = make({.format = LogOptions::Format::text, .agent = "digest"});
  log.warn("disk is full", {{"path", "/var/x"}, {"free", 0}, {"why", "no space"}});
  CHECK(lines.back() == R"(2023-11-14T22:13:20.000000Z warn  disk is full path=/var/x free=0 why="no space")");
}

TEST_CASE_METHOD(LogFixture, "a message that comes too often is suppressed, and then told with its count") {
  auto log = make({});
  for (int i = 0; i < 25; ++i) log.warn("again");
  CHECK(lines.size() == 20);
  log.warn("other");
  log.error("again");
  CHECK(lines.size() == 22);  // another message, and another level
  clock.advance(10s - 1ns);
  log.warn("again");
  CHECK(lines.size() == 22);
  clock.advance(1ns);
  log.info("news");
  REQUIRE(lines.size() == 24);
  CHECK((*from_json(lines[22]))["suppressed"] == Value("again"));
  CHECK((*from_json(lines[22]))["count"] == Value(6));
  CHECK((*from_json(lines[22]))["level"] == Value("warn"));
  log.warn("again");
  CHECK(lines.size() == 25);
  CHECK(log.lines()[static_cast<std::size_t>(Level::warn)] == 28);
}

TEST_CASE_METHOD(LogFixture, "what was suppressed is told when the log ends, at the latest") {
  {
    auto log = make({});
    for (int i = 0; i < 21; ++i) log.warn("again");
  }
  REQUIRE(lines.size() == 21);
  CHECK(last()["count"] == Value(1));
}

TEST_CASE_METHOD(LogFixture, "many threads write whole lines") {
  {
    auto log = make({});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log, i] {
        for (int n = 0; n < 200; ++n) log.info("line " + std::to_string(i * 1000 + n));
      });
    }
    for (auto& thread : threads) thread.join();
  }
  CHECK(lines.size() == 800);
  for (const auto& line : lines) CHECK(from_json(line));
}

TEST_CASE("levels have names, and a wrong one is told with the nearest") {
  CHECK(*from_text("warn", std::type_identity<Level>{}) == Level::warn);
  CHECK(to_string(Level::fatal) == "fatal");
  const auto wrong = from_text("inof", std::type_identity<Level>{});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("did you mean 'info'?") != std::string::npos);
}
