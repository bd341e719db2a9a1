#include "cli/target.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

TEST_CASE("a target is an agent and a method, and may name a host") {
  const auto plain = parse_target("digest.summary");
  REQUIRE(plain);
  REQUIRE(plain->agent == "digest");
  REQUIRE(plain->method == "summary");
  REQUIRE(plain->host.empty());
  REQUIRE(parse_target("digest.summary@alpha")->host == "alpha");
  REQUIRE(parse_target("digest.summary@alpha")->text() == "digest.summary");
}

TEST_CASE("what is no target is refused with what is wrong") {
  for (const auto* text : {"", "digest", ".summary", "digest.", "digest.summary@", "a.b.c", "a b.c", "a.b@c d"}) {
    INFO(text);
    const auto target = parse_target(text);
    REQUIRE_FALSE(target);
    REQUIRE(target.error().is(codes::bad_usage));
    REQUIRE(target.error().hint.find("AGENT.METHOD@HOST") != std::string::npos);
  }
  REQUIRE(parse_target("digest").error().message.find("the method is missing") != std::string::npos);
}

TEST_CASE("a JSON payload travels as MessagePack") {
  const auto payload = read_payload(R"({"text": "hello", "n": [1, 2.5, true, null]})", false);
  REQUIRE(payload);
  REQUIRE(payload->encoding == wire::Encoding::msgpack);
  REQUIRE(to_json(shown(*payload)) == R"({"n":[1,2.5,true,null],"text":"hello"})");
}

TEST_CASE("headers are a name and a value each, and what is none is refused") {
  const auto headers = parse_headers({"album: summer", "empty:", "url:http://a:1/b"});
  REQUIRE(headers);
  REQUIRE(*headers == wire::Headers{{"album", "summer"}, {"empty", ""}, {"url", "http://a:1/b"}});
  REQUIRE(parse_headers({})->empty());
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"album"}, {":summer"}, {"a:1", "a:2"}}) {
    const auto refused = parse_headers(bad);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().is(codes::bad_usage));
  }
}

TEST_CASE("a raw payload travels as it is") {
  const auto payload = read_payload("{not json", true);
  REQUIRE(payload->encoding == wire::Encoding::raw);
  REQUIRE(payload->text() == "{not json");
}

TEST_CASE("a payload that is no JSON is refused with a way out") {
  for (const auto* text : {"", "hello", "{", "{} {}"}) {
    INFO(text);
    const auto payload = read_payload(text, false);
    REQUIRE_FALSE(payload);
    REQUIRE(payload.error().is(codes::bad_usage));
    REQUIRE(payload.error().hint.find("--raw") != std::string::npos);
  }
}

TEST_CASE("raw bytes are shown as text where they are UTF-8, else as base64") {
  REQUIRE(to_json(shown(wire::Payload::raw("grüße"))) == "\"grüße\"");
  REQUIRE(to_json(shown(wire::Payload::raw("\xff\x01"))) == "\"/wE=\"");
  REQUIRE(to_json(shown(wire::Payload::raw("\xc3"))) == "\"ww==\"");  // a character cut in two
}

TEST_CASE("a payload that claims to be MessagePack and is not is shown as bytes") {
  const wire::Payload broken(wire::Encoding::msgpack, {std::byte{0xc1}});
  REQUIRE(to_json(shown(broken)) == "\"wQ==\"");
}
