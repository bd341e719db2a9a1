// What a hostile or broken peer may send: nothing of it crashes, allocates by its word, or reads past the frame.
#include <chrono>

#include "tests/support/catch.hpp"
#include "tests/unit/wire/vectors.hpp"

using namespace weft;
using namespace weft::test;

namespace {

/// Decodes in every way; the frame is copied to its exact size, so that a sanitizer sees the first byte too far.
void decode_all_ways(BytesView bytes) {
  const Bytes exact(bytes.begin(), bytes.end());
  if (const auto first = wire::decode_first(exact, {})) {
    REQUIRE(first->size <= exact.size());
    (void)wire::decode_error(first->envelope);
  }
  (void)wire::decode(exact, {});
  wire::BatchReader reader(exact, {});
  for (std::size_t turns = 0; !reader.done(); ++turns) {
    REQUIRE(turns <= exact.size() / wire::kHeaderSize + 1);  // every turn takes a header, or ends
    (void)reader.next();
  }
}

Bytes with_payload_length(std::uint32_t length) {
  wire::Header header;
  Bytes frame = wire::encode(header, "a.b", {});
  for (int i = 0; i < 4; ++i) frame[8 + static_cast<std::size_t>(i)] = static_cast<std::byte>(length >> (8 * i));
  return frame;
}

Error error_with_body(BytesView body) {
  wire::Header header;
  header.kind = wire::Kind::error;
  header.encoding = wire::Encoding::msgpack;
  const Bytes frame = wire::encode(header, "", body);
  return wire::decode_error(*wire::decode(frame, {}));
}

}  // namespace

TEST_CASE("every truncation of every good vector is refused") {
  for (const auto& vector : vectors()) {
    if (!vector.good()) continue;
    INFO(vector.name);
    for (std::size_t size = 0; size < vector.bytes.size(); ++size) {
      const Bytes cut(vector.bytes.begin(), vector.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto view = wire::decode(cut, {});
      REQUIRE_FALSE(view);
      REQUIRE(view.error().is(codes::bad_envelope));
      decode_all_ways(cut);
    }
  }
}

TEST_CASE("no bit flip in any vector crashes the decoder") {
  for (const auto& vector : vectors()) {
    for (std::size_t bit = 0; bit < vector.bytes.size() * 8; ++bit) {
      Bytes flipped = vector.bytes;
      flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
      decode_all_ways(flipped);
    }
  }
}

TEST_CASE("no random bytes behind a good beginning crash the decoder") {
  Random random(20261120);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(random.below(256));
    for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
    const std::byte start[] = {std::byte{'W'},
                               std::byte{'F'},
                               std::byte{1},
                               static_cast<std::byte>(1 + random.below(8)),
                               static_cast<std::byte>(random.below(2)),
                               static_cast<std::byte>(random.below(3))};
    std::copy_n(start, std::min(bytes.size(), std::size(start)), bytes.begin());
    decode_all_ways(bytes);
  }
}

TEST_CASE("a payload over the limit is refused by its announcement, before its bytes are looked at") {
  wire::Limits limits;
  limits.payload_max = 1000;
  REQUIRE(wire::decode(with_payload_length(1001), limits).error().is(codes::too_large));
  REQUIRE(wire::decode(with_payload_length(0xFFFFFFFF), limits).error().is(codes::too_large));
  REQUIRE(wire::decode(with_payload_length(1000), limits).error().is(codes::bad_envelope));  // allowed, but cut
}

TEST_CASE("a detached payload over the limit is refused before its frame is read") {
  wire::Limits limits;
  limits.payload_max = 4;
  wire::Header header;
  header.flags = wire::kFlagDetached;
  const Bytes payload(5);
  REQUIRE(wire::decode(wire::encode(header, "a.b", payload), limits).error().is(codes::too_large));
}

TEST_CASE("an error says which limit was passed and by how much") {
  wire::Limits limits;
  limits.payload_max = 1000;
  REQUIRE(wire::decode(with_payload_length(1001), limits).error().message ==
          "a payload of 1001 bytes is over the limit of 1000");
}

TEST_CASE("an error body that announces four billion members costs nothing") {
  for (const auto* hex : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "81a46b696e64dbffffffff"}) {
    INFO(hex);
    const auto start = std::chrono::steady_clock::now();
    const auto error = error_with_body(from_hex(hex));
    REQUIRE(error.is(codes::bad_envelope));
    REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  }
}

TEST_CASE("an error body nested a hundred thousand deep is refused, not followed") {
  REQUIRE(error_with_body(Bytes(100'000, std::byte{0x91})).is(codes::bad_envelope));
}

TEST_CASE("an error body of wrong types or without members is still an error") {
  REQUIRE(error_with_body(from_hex("c0")).is(codes::bad_envelope));
  REQUIRE(error_with_body(from_hex("81a46b696e6401")).is(codes::bad_envelope));  // {kind: 1}
  REQUIRE(error_with_body(from_hex("80")).code.empty());
  REQUIRE(error_with_body(from_hex("80")).kind == ErrorKind::internal);
}

TEST_CASE("an error body with members of a newer version is read all the same") {
  REQUIRE(error_with_body(from_hex("82a4636f6465a15aa5657874726101")).code == "Z");
}
