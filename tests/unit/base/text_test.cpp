#include "tests/support/catch.hpp"
#include "weft/base/base.hpp"

using namespace weft;

TEST_CASE("the nearest known word is offered only when it is near") {
  CHECK(nearest("prot", {"host", "port", "name"}) == "port");
  CHECK(did_you_mean("levl", {"level", "format"}) == ", did you mean 'level'?");
  CHECK_FALSE(nearest("colour", {"port", "host"}));
}

TEST_CASE("names and topics are checked") {
  CHECK(check_name("agent name", "sys-mon_2"));
  CHECK_FALSE(check_name("agent name", ""));
  CHECK_FALSE(check_name("agent name", "a.b"));
  CHECK_FALSE(check_name("agent name", std::string(65, 'a')));
  CHECK(check_topic("host.alpha.metrics"));
  CHECK_FALSE(check_topic("host..metrics"));
  CHECK_FALSE(check_topic("host.*"));
}

TEST_CASE("patterns match by segment") {
  struct Case {
    const char *pattern, *topic;
    bool matches;
  };
  for (const Case& c :
       {Case{"a.b", "a.b", true}, Case{"a.b", "a.bc", false}, Case{"a.*", "a.b", true}, Case{"a.*", "a.b.c", false},
        Case{"a.*", "a", false}, Case{"a.#", "a", true}, Case{"a.#", "a.b.c", true}, Case{"#", "x.y", true},
        Case{"*.b", "a.b", true}, Case{"*.b", "a.c", false}, Case{"a.#", "ab", false}}) {
    CAPTURE(c.pattern, c.topic);
    CHECK(TopicPattern::parse(c.pattern)->matches(c.topic) == c.matches);
    CHECK((!c.matches || std::string_view(c.topic).starts_with(TopicPattern::parse(c.pattern)->literal_prefix())));
  }
  for (const auto* bad : {"", "a..b", "#.a", "a b", "a.**"}) CHECK_FALSE(TopicPattern::parse(bad));
}

TEST_CASE("patterns overlap when one topic can match both") {
  auto overlap = [](const char* a, const char* b) {
    return TopicPattern::parse(a)->overlaps(*TopicPattern::parse(b)) &&
           TopicPattern::parse(b)->overlaps(*TopicPattern::parse(a));
  };
  CHECK(overlap("host.*.metrics", "host.alpha.metrics"));
  CHECK(overlap("host.#", "host.alpha.metrics"));
  CHECK(overlap("a.#", "a"));
  CHECK(overlap("*.x", "y.*"));
  CHECK_FALSE(overlap("a.b", "a.b.c"));
  CHECK_FALSE(overlap("a.*", "b.#"));
}

TEST_CASE("an event's text has its values in it") {
  ErrorEvent event;
  event.message = "disk {name} is {percent} % full, {unknown} stays";
  event.values = {{"name", "sda"}, {"percent", 93}};
  CHECK(event.text() == "disk sda is 93 % full, {unknown} stays");
}

TEST_CASE("only ASCII letters become lower case") {
  CHECK(to_lower("Content-Type") == "content-type");
  CHECK(to_lower("AZ[@`{az") == "az[@`{az");
  CHECK(to_lower("\xc3\x84") == "\xc3\x84");
}

TEST_CASE("blanks and tabs are trimmed at both ends") {
  CHECK(trimmed(" \ta b\t ") == "a b");
  CHECK(trimmed(" \t").empty());
  CHECK(trimmed("").empty());
}
