#include "weft/observe/span.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
const std::string kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
}

TEST_CASE("a traceparent is read and written as W3C shows it") {
  const auto read = traceparent_from(kGood);
  REQUIRE(read);
  CHECK(to_hex(read->trace_id) == "0af7651916cd43dd8448eb211c80319c");
  CHECK(to_hex(read->span_id) == "b7ad6b7169203331");
  CHECK(read->sampled());
  CHECK(to_traceparent(*read) == kGood);
  CHECK_FALSE(traceparent_from(kGood.substr(0, 53) + "00")->sampled());
}

TEST_CASE("flags that this version does not know do not go on") {
  CHECK(to_traceparent(*traceparent_from(kGood.substr(0, 53) + "ff")) == kGood);
}

TEST_CASE("a later version is read as far as it is known, and the last possible one is refused") {
  CHECK(*traceparent_from("01" + kGood.substr(2)) == *traceparent_from(kGood));
  CHECK(*traceparent_from("cc" + kGood.substr(2) + "-what-the-future-holds") == *traceparent_from(kGood));
  CHECK_FALSE(traceparent_from("cc" + kGood.substr(2) + ".what"));
  CHECK_FALSE(traceparent_from("ff" + kGood.substr(2)));
  CHECK_FALSE(traceparent_from(kGood + "-more"));
}

TEST_CASE("a traceparent that is none is refused, wherever it breaks") {
  CHECK_FALSE(traceparent_from(""));
  CHECK_FALSE(traceparent_from(std::string(10'000, '0')));
  for (std::size_t i = 0; i < kGood.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(traceparent_from(kGood.substr(0, i)));
    for (const char wrong : {'G', 'A', ' ', '\0', '\xff', '/', ':'}) {
      auto text = kGood;
      text[i] = wrong;
      CHECK_FALSE(traceparent_from(text));
    }
  }
  const auto zero = [](std::size_t at, std::size_t n) { return std::string(kGood).replace(at, n, n, '0'); };
  CHECK(traceparent_from(zero(3, 32)).error().message.find("trace id is all 0") != std::string::npos);
  CHECK(traceparent_from(zero(36, 16)).error().message.find("span id is all 0") != std::string::npos);
  CHECK(traceparent_from("x").error().is(codes::bad_value));
}

TEST_CASE("a trace id is 32 digits that are not all zero") {
  CHECK(to_hex(*trace_id_from("0af7651916cd43dd8448eb211c80319c")) == "0af7651916cd43dd8448eb211c80319c");
  for (const auto& text :
       {std::string(), std::string(32, '0'), std::string(31, 'a'), std::string(33, 'a'), std::string(32, 'g')})
    CHECK_FALSE(trace_id_from(text));
}

TEST_CASE("an error is kept as the number of its code, and a code that is none of ours as such") {
  CHECK(error_number(Error(codes::no_responders, "")) == 2003);
  CHECK(error_text(2003) == "WEFT-2003");
  for (const auto* own : {"", "WEFT-", "WEFT-0", "WEFT-99999999", "WEFT-12x", "PAINT_IS_WET"})
    CHECK(error_number(Error(ErrorKind::internal, own, "")) == kOwnError);
  CHECK(error_text(kOwnError) == "own code");
  CHECK(error_text(0).empty());
}

TEST_CASE("a message's id is its sender and its number, as text and back") {
  const MessageId message{4'294'967'297, 0x9f86d081884c7d65};
  CHECK(to_text(message) == "9f86d081884c7d65-4294967297");
  CHECK(*message_id_from(to_text(message)) == message);
  CHECK(to_text({5, 0xa}) == "000000000000000a-5");
  CHECK(*message_id_from("000000000000000a-5") == MessageId{5, 0xa});
  CHECK(to_text({5, 0}) == "5");
  CHECK(*message_id_from("5") == MessageId{5, 0});
  CHECK(message_id_from("18446744073709551615")->id == 18'446'744'073'709'551'615U);
}

TEST_CASE("what is no message's id is refused") {
  for (const auto* text : {"", "-", "0", "x", "18446744073709551616", "9f86d081884c7d65-", "9f86d081884c7d65-0", "9f-5",
                           "9f86d081884c7d65-5x", "-5", "0000000000000000-5", "9f86d081884c7d6g-5"})
    CHECK(message_id_from(text).error().is(codes::bad_value));
}
