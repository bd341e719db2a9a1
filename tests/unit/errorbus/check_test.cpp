#include "errorbus/check.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"

using namespace weft;
using namespace weft::errorbus;

namespace {
/// What check_event() says of a good event that `spoil` has spoiled.
template <class Spoil>
std::string said(Spoil spoil) {
  ErrorEvent event = test::numbered_event(1);
  spoil(event);
  auto checked = check_event(event);
  if (checked) return "ok";
  return checked.error().is(codes::bad_event) ? checked.error().message : checked.error().describe();
}
Value nested(int depth) {
  Value value = 1;
  for (int i = 0; i < depth; ++i) value = Value(Value::List{value});
  return value;
}
}  // namespace

TEST_CASE("a good event is taken, also at each limit") {
  CHECK(said([](ErrorEvent&) {}) == "ok");
  CHECK(said([](ErrorEvent& e) { e.message.assign(kMessageMax, 'x'); }) == "ok");
  CHECK(said([](ErrorEvent& e) { e.stack.assign(kStackMax, 'x'); }) == "ok");
  CHECK(said([](ErrorEvent& e) { e.exception.assign(kExceptionMax, 'x'); }) == "ok");
  CHECK(said([](ErrorEvent& e) { e.repeated = kRepeatedMax; }) == "ok");
  CHECK(said([](ErrorEvent& e) { e.values["deep"] = nested(16); }) == "ok");
  CHECK(said([](ErrorEvent& e) { e.trace_id.assign(32, 'a'); }) == "ok");
  CHECK(said([](ErrorEvent& e) {
          for (int i = 1; i < 64; ++i) e.values["v" + std::to_string(i)] = i;
        }) == "ok");
}

TEST_CASE("an event that lacks what it must have is refused, with what it lacks") {
  CHECK(said([](ErrorEvent& e) { e.id = {}; }) == "it has no id");
  CHECK(said([](ErrorEvent& e) { e.code.clear(); }) == "it has no code");
  CHECK(said([](ErrorEvent& e) { e.time_us = 0; }) == "it has no time");
  CHECK(said([](ErrorEvent& e) { e.host = "no host"; }).find("host") != std::string::npos);
  CHECK(said([](ErrorEvent& e) { e.agent.clear(); }).find("agent") != std::string::npos);
}

TEST_CASE("an event over a limit is refused, with the limit") {
  CHECK(said([](ErrorEvent& e) { e.message.assign(kMessageMax + 1, 'x'); }) ==
        "message has 8193 bytes, at most 8192 are allowed");
  CHECK(said([](ErrorEvent& e) { e.exception.assign(kExceptionMax + 1, 'x'); }) ==
        "exception has 1025 bytes, at most 1024 are allowed");
  CHECK(said([](ErrorEvent& e) { e.repeated = kRepeatedMax + 1; }).find("repeated is 1000000000001") == 0);
  CHECK(said([](ErrorEvent& e) { e.code.assign(kWordMax + 1, 'x'); }) == "code has 129 bytes, at most 128 are allowed");
  CHECK(said([](ErrorEvent& e) { e.values["v"] = std::string(kValuesBytesMax, 'x'); }).find("its values have") == 0);
  CHECK(said([](ErrorEvent& e) { e.values["deep"] = nested(17); }) == "value 'deep' is nested deeper than 16");
  CHECK(said([](ErrorEvent& e) { e.trace_id = "xyz"; }) == "trace_id is not 32 hex digits");
  CHECK(said([](ErrorEvent& e) {
          for (int i = 0; i < 64; ++i) e.values["v" + std::to_string(i)] = i;
        }) == "it has 65 values, at most 64 are allowed");
}

TEST_CASE("bytes that are no UTF-8 are replaced, the event is kept") {
  ErrorEvent event = test::numbered_event(1);
  event.message = "gr\xFC\xDF";
  event.values["k\xFF"] = Value(Value::List{"a\x80", Value(Value::Map{{"\xC0", "b"}})});
  REQUIRE(check_event(event));
  CHECK(event.message == "gr\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(event.values.contains("k\xEF\xBF\xBD"));
  CHECK(event.values["k\xEF\xBF\xBD"].as_list()[0] == Value("a\xEF\xBF\xBD"));
  CHECK(event.values["k\xEF\xBF\xBD"].as_list()[1]["\xEF\xBF\xBD"] == Value("b"));
}

TEST_CASE("well-formed UTF-8 stays, overlong forms, surrogates and cut characters do not") {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},
      {"plain", "plain"},
      {"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xF5", "\xEF\xBF\xBD"}};
  for (const auto& [in, out] : table) {
    std::string text = in;
    make_utf8(text);
    CHECK(text == out);
  }
}

TEST_CASE("the first bad event of a report is named by its place, id and code") {
  auto events = test::numbered_events(1, 5);
  events[2].time_us = 0;
  events[4].code.clear();
  auto checked = check_events(events);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().is(codes::bad_event));
  CHECK(checked.error().message ==
        "event 3 of 5 (id " + events[2].id.to_string() + ", code 'NUMBERED') is refused: it has no time");
  std::vector<ErrorEvent> none;
  CHECK(check_events(none));
}
