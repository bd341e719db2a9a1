#include "tests/support/catch.hpp"
#include "weft/wire/wire.hpp"

using namespace weft;

namespace {
Bytes bytes(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}
}  // namespace

TEST_CASE("an extension comes back as it was written") {
  Bytes chain;
  wire::append_link(chain, {7, "a.start"});
  wire::append_link(chain, {8, "b.run"});
  const Bytes headers = to_msgpack(Value(Value::Map{{"tenant", Value("x")}}));
  wire::Extension extension;
  extension.sent_us = 0xdead'beef;
  extension.window = 65'536;
  extension.cause = 0x1234'5678'9abc'def0;
  extension.key = "order-17";
  extension.schema = "order.v1";
  extension.chain = chain;
  extension.headers = headers;
  Bytes out;
  REQUIRE(wire::encode(extension, out));
  const auto read = wire::decode_extension(out);
  REQUIRE(read);
  CHECK(read->sent_us == extension.sent_us);
  CHECK(read->window == extension.window);
  CHECK(read->cause == extension.cause);
  CHECK(read->key == "order-17");
  CHECK(read->schema == "order.v1");
  CHECK(Bytes(read->headers.begin(), read->headers.end()) == headers);
  std::vector<std::string> links;
  REQUIRE(wire::walk_chain(read->chain, [&](const wire::ChainLink& link) {
    links.push_back(std::to_string(link.instance) + " " + std::string(link.method));
  }));
  CHECK(links == std::vector<std::string>{"7 a.start", "8 b.run"});
}

TEST_CASE("the extension is MessagePack that others can write and read") {
  wire::Extension extension;
  extension.sent_us = 258;
  extension.key = "k1";
  Bytes out;
  REQUIRE(wire::encode(extension, out));
  const auto value = from_msgpack(out);
  REQUIRE(value);
  CHECK((*value)["t"].as_int() == 258);
  CHECK((*value)["k"].as_string() == "k1");
  const Bytes other = to_msgpack(Value(Value::Map{{"k", Value("k2")}, {"t", Value(5)}, {"window", Value(3.5)}}));
  const auto read = wire::decode_extension(other);
  REQUIRE(read);
  CHECK(read->key == "k2");
  CHECK(read->sent_us == 5);
}

TEST_CASE("the stamp alone is the same in both ways of writing it") {
  wire::Extension extension;
  extension.sent_us = 0x0102'0304;
  Bytes out;
  REQUIRE(wire::encode(extension, out));
  std::array<std::byte, wire::kStampSize> stamp;
  wire::encode_stamp(0x0102'0304, stamp);
  CHECK(std::equal(out.begin(), out.end(), stamp.begin(), stamp.end()));
  CHECK(wire::decode_extension(stamp)->sent_us == 0x0102'0304);
}

TEST_CASE("nothing is an empty extension, and is written as nothing") {
  Bytes out(3);
  REQUIRE(wire::encode(wire::Extension(), out));
  CHECK(out.empty());
  CHECK(wire::decode_extension({})->empty());
}

TEST_CASE("unknown keys of any type are skipped") {
  Value::Map inner{{"deep", Value(Value::List{Value(1), Value("two"), Value(3.0), Value()})}};
  const Bytes all = to_msgpack(Value(Value::Map{{"zz", Value(inner)},
                                                {"b1", Value(Bytes(300))},
                                                {"t", Value(9)},
                                                {"n", Value(-5)},
                                                {"x", Value(std::string(7'000, 'x'))}}));
  const auto read = wire::decode_extension(all);
  REQUIRE(read);
  CHECK(read->sent_us == 9);
}

TEST_CASE("what is no map, is cut, or has the wrong type is refused") {
  for (const Bytes& wrong : {bytes({0x00}), bytes({0x93, 1, 2, 3}), bytes({0x81}), bytes({0x81, 0xa1, 't'}),
                             bytes({0x81, 0xa1, 't', 0xa1, 'x'}), bytes({0x81, 0xa1, 'k', 0x05}),
                             bytes({0x81, 0xa1, 'k', 0xda, 0xff, 0xff, 'x'}), bytes({0x80, 0x00}),
                             bytes({0x81, 0xa1, 'q', 0xc1}), bytes({0xdf, 0xff, 0xff, 0xff, 0xff})}) {
    const auto read = wire::decode_extension(wrong);
    REQUIRE_FALSE(read);
    CHECK(read.error().is(codes::bad_envelope));
  }
}

TEST_CASE("headers over the limit are refused before they are sent") {
  wire::Extension extension;
  const Bytes headers(70'000);
  extension.headers = headers;
  Bytes out;
  const auto done = wire::encode(extension, out);
  REQUIRE_FALSE(done);
  CHECK(done.error().is(codes::too_large));
}

TEST_CASE("nesting without end is refused") {
  Bytes deep = bytes({0x81, 0xa1, 'q'});
  deep.insert(deep.end(), 1000, std::byte{0x91});
  deep.push_back(std::byte{0xc0});
  CHECK_FALSE(wire::decode_extension(deep));
}
