#include "tests/support/catch.hpp"
#include "weft/wire/wire.hpp"

using namespace weft;

TEST_CASE("the first of two envelopes is decoded, and its length told") {
  wire::Header header;
  header.kind = wire::Kind::reply;
  header.id = 7;
  const Bytes one = wire::encode(header, "", as_bytes("abc"));
  Bytes two = one;
  two.insert(two.end(), one.begin(), one.end());
  const auto first = wire::decode_first(two, {});
  REQUIRE(first);
  REQUIRE(first->size == one.size());
  REQUIRE(first->envelope.header == header);
  REQUIRE(as_text(first->envelope.payload) == "abc");
}

TEST_CASE("an envelope of a batch knows the id of the one behind it") {
  Bytes envelopes;
  for (const std::uint64_t id : {5U, 6U, 7U}) {
    wire::Header header;
    header.id = id;
    const Bytes one = wire::encode(header, "a.b", as_bytes("x"));
    envelopes.insert(envelopes.end(), one.begin(), one.end());
  }
  std::vector<std::uint64_t> told;
  for (wire::BatchReader batch(envelopes, {}); !batch.done();) told.push_back(batch.next()->next_id);
  REQUIRE(told == std::vector<std::uint64_t>{6, 7, 0});
}

TEST_CASE("an empty envelope is its header") {
  REQUIRE(wire::encode({}, "", {}).size() == wire::kHeaderSize);
  REQUIRE(wire::encoded_size("ab", {}, 3) == wire::kHeaderSize + 5);
}

TEST_CASE("a detached payload is measured, not copied") {
  wire::Header header;
  header.flags = wire::kFlagDetached;
  const Bytes payload(100'000);
  const Bytes frame = wire::encode(header, "a.b", payload);
  REQUIRE(frame.size() == wire::kHeaderSize + 3);
  const auto view = wire::decode(frame, {});
  REQUIRE(view->payload.empty());
  REQUIRE(view->payload_size == payload.size());
}

TEST_CASE("what is decoded lies in the frame") {
  const Bytes frame = wire::encode({}, "a.b", as_bytes("payload"));
  const auto view = wire::decode(frame, {});
  REQUIRE(reinterpret_cast<const std::byte*>(view->name.data()) == frame.data() + wire::kHeaderSize);
  REQUIRE(view->payload.data() == frame.data() + wire::kHeaderSize + 3);
}

TEST_CASE("a batch is walked to its end, and an empty one has none") {
  wire::Header header;
  Bytes packed;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    header.id = id;
    const Bytes one = wire::encode(header, "a.b", {});
    packed.insert(packed.end(), one.begin(), one.end());
  }
  wire::BatchReader reader(packed, {});
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(reader.next()->header.id == id);
  REQUIRE(reader.done());
  REQUIRE(wire::BatchReader({}, {}).done());
}

TEST_CASE("a batch that turns bad ends there") {
  Bytes packed = wire::encode({}, "a.b", {});
  packed.insert(packed.end(), 100, std::byte{0});
  wire::BatchReader reader(packed, {});
  REQUIRE(reader.next());
  REQUIRE(reader.next().error().is(codes::bad_envelope));
  REQUIRE(reader.done());
}

TEST_CASE("an error comes back as it was sent") {
  const Error sent(codes::queue_full, "10000 calls are being handled", "retry later");
  wire::Header header;
  header.kind = wire::Kind::error;
  header.encoding = wire::Encoding::msgpack;
  const Bytes frame = wire::encode(header, "", wire::encode_error(sent));
  REQUIRE(wire::decode_error(*wire::decode(frame, {})) == sent);
}

TEST_CASE("kinds and encodings have names, unknown ones a question mark") {
  REQUIRE(wire::to_string(wire::Kind::heartbeat) == "heartbeat");
  REQUIRE(wire::to_string(static_cast<wire::Kind>(10)) == "?");
  REQUIRE(wire::to_string(wire::Encoding::json) == "json");
  REQUIRE(wire::to_string(static_cast<wire::Encoding>(7)) == "?");
}
