#include "cli/message_story.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

const std::string kMessage = "9f86d081884c7d65-77";

TracedSpan span(const std::string& process, const std::string& kind, const std::string& message,
                const std::string& error = "") {
  TracedSpan out;
  out.process = process;
  out.span.kind = kind;
  out.span.name = "echo.delay";
  out.span.message = message;
  out.span.error = error;
  out.span.begin_us = 1000;
  out.span.duration_ns = 5'000'000;
  return out;
}

TracedSpan sent(const std::string& error = "") {
  auto out = span("relay@alpha", "client", kMessage, error);
  out.span.peer = "echo@beta";
  out.span.note = "its turn";
  out.span.candidates = 2;
  return out;
}

std::vector<std::string> lines(const Story& story) {
  std::vector<std::string> out;
  for (const auto& step : story.steps) out.push_back(step.step + " | " + step.where + " | " + step.what);
  return out;
}
using Lines = std::vector<std::string>;

Story only(const std::vector<Story>& stories) {
  REQUIRE(stories.size() == 1);
  return stories[0];
}

}  // namespace

TEST_CASE("no spans are no stories") { CHECK(stories_of({}, {}).empty()); }

TEST_CASE("a call is told from its sender over its receiver to its end") {
  auto received = span("echo@beta", "server", kMessage);
  received.span.wire_ns = 300'000;
  received.span.queue_ns = 1'000'000;
  const auto story = only(stories_of({received, sent()}, {}));
  CHECK(story.message == kMessage);
  CHECK(story.name == "echo.delay");
  CHECK_FALSE(story.failed);
  CHECK(lines(story) == Lines{"sent | relay@alpha | to echo@beta: its turn, of 2",
                              "received | echo@beta | by echo.delay, 300us later than the fastest",
                              "handled | echo@beta | waited 1.00ms for its turn, then took 4.00ms: ok",
                              "ended | relay@alpha | ok, after 5.00ms"});
  CHECK(story.steps[1].time_us == 1000);
  CHECK(story.steps[2].time_us == 6000);
}

TEST_CASE("a call that its receiver dropped is told with the reason") {
  auto dropped = span("echo@beta", "server", kMessage, "WEFT-2006");
  dropped.span.duration_ns = 0;
  dropped.span.note = "its time was over when it came";
  const auto story = only(stories_of({sent("WEFT-2006"), dropped}, {}));
  CHECK(story.failed);
  CHECK(lines(story) == Lines{"sent | relay@alpha | to echo@beta: its turn, of 2",
                              "dropped | echo@beta | its time was over when it came: WEFT-2006 DEADLINE_EXCEEDED",
                              "ended | relay@alpha | WEFT-2006 DEADLINE_EXCEEDED, after 5.00ms"});
}

TEST_CASE("a call whose time was over in the mailbox is told with how long it waited there") {
  auto dropped = span("echo@beta", "server", kMessage, "WEFT-2006");
  dropped.span.queue_ns = 5'000'000;
  dropped.span.note = "its time was over before its turn came";
  const auto story = only(stories_of({dropped}, {}));
  CHECK(story.steps[2].step == "dropped");
  CHECK(story.steps[2].what == "its time was over before its turn came, after 5.00ms: WEFT-2006 DEADLINE_EXCEEDED");
}

TEST_CASE("a call of which its receiver knows nothing says so") {
  const auto story = only(stories_of({sent("WEFT-2006")}, {}));
  REQUIRE(story.steps.size() == 3);
  CHECK(story.steps[1].step == "unknown");
  CHECK(story.steps[1].where == "echo@beta");
}

TEST_CASE("a call that was never sent is told with what refused it") {
  auto refused = sent("WEFT-2014");
  refused.span.message.clear();
  const auto story = only(stories_of({refused}, {}));
  CHECK(story.failed);
  CHECK(lines(story) == Lines{"refused | relay@alpha | not sent: WEFT-2014 CIRCUIT_OPEN"});
}

TEST_CASE("a sender that is there and forgot its call is named all the same") {
  const std::vector<TracedSpan> spans{span("echo@beta", "server", kMessage)};
  CHECK(only(stories_of(spans, {{"9f86d081884c7d65", "relay@alpha"}})).steps[0].where == "relay@alpha");
  CHECK(only(stories_of(spans, {})).steps[0].where.empty());
}

TEST_CASE("an event that several got is one story, and joined to who published it by its trace") {
  auto published = span("sysmon@alpha", "producer", "");
  published.span.span_id = "01";
  auto heard = span("digest@alpha", "consumer", kMessage),
       dropped = span("logwatch@beta", "consumer", kMessage, "WEFT-6004");
  heard.span.parent_id = dropped.span.parent_id = "01";
  dropped.span.duration_ns = 0;
  dropped.span.note = "dropped: mailbox";
  const auto story = only(stories_of({published, heard, dropped}, {}));
  CHECK(story.message == kMessage);
  CHECK(lines(story) == Lines{"sent | sysmon@alpha | published", "received | digest@alpha | by echo.delay",
                              "handled | digest@alpha | took 5.00ms: ok",
                              "dropped | logwatch@beta | dropped: mailbox: WEFT-6004 MAILBOX_FULL"});
}

TEST_CASE("messages of one number and of several senders or topics are stories of their own, the earliest first") {
  auto later = span("b@x", "consumer", kMessage), other = later;
  later.span.begin_us = 2000;
  other.span.name = "another.topic";
  const auto stories = stories_of({later, other, span("b@x", "server", "00000000000000aa-77")}, {});
  REQUIRE(stories.size() == 3);
  CHECK(stories[2].steps.back().time_us == 7000);
}

TEST_CASE("attempts of one call are told one by one") {
  auto first = sent("WEFT-2007"), second = sent();
  second.span.message = "9f86d081884c7d65-78";
  second.span.attempt = 2;
  second.span.begin_us = 3000;
  const auto stories = stories_of({second, first}, {});
  REQUIRE(stories.size() == 2);
  CHECK(stories[0].failed);
  CHECK(stories[1].steps[0].what == "to echo@beta: its turn, of 2; attempt 2");
}
