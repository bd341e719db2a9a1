// That the codec and the vectors in tests/data/wire say the same. Run with WEFT_WRITE_VECTORS=1 to write the .bin files
// anew from their descriptions; a vector that was released once is never changed.
#include "tests/unit/wire/vectors.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::test;

namespace {

void check_envelope(const wire::EnvelopeView& view, const Value& described) {
  REQUIRE(view.header == header_of(described));
  REQUIRE(view.name == described["name"].as_string());
  REQUIRE(Bytes(view.extension.begin(), view.extension.end()) == from_hex(described["extension_hex"].as_string()));
  REQUIRE(Bytes(view.payload.begin(), view.payload.end()) == payload_of(described));
  if (!described["next_frame_hex"].is_null()) {
    REQUIRE(view.payload_size == from_hex(described["next_frame_hex"].as_string()).size());
  } else {
    REQUIRE(view.payload_size == view.payload.size());
  }
  if (described.as_map().contains("payload") && view.header.encoding == wire::Encoding::msgpack) {
    REQUIRE(from_msgpack(view.payload) == described["payload"]);
  }
}

/// Walks a batch; the number of whole envelopes, and the error that ended the walk.
std::pair<std::int64_t, std::string> walk(const wire::EnvelopeView& batch) {
  wire::BatchReader reader(batch.payload, {});
  std::int64_t count = 0;
  while (!reader.done()) {
    const auto next = reader.next();
    if (!next) return {count, next.error().code};
    ++count;
  }
  return {count, ""};
}

}  // namespace

TEST_CASE("every description encodes to the bytes of its vector") {
  REQUIRE(vectors().size() >= 35);
  for (const auto& vector : vectors()) {
    INFO(vector.name);
    const auto wanted = bytes_of(vector.description);
    if (std::getenv("WEFT_WRITE_VECTORS") != nullptr) {
      std::ofstream(std::filesystem::path(WEFT_WIRE_VECTORS) / (vector.name + ".bin"), std::ios::binary)
          << as_text(wanted);
    } else {
      REQUIRE(vector.bytes == wanted);
    }
  }
}

TEST_CASE("every good vector decodes to its description") {
  for (const auto& vector : vectors()) {
    if (!vector.good()) continue;
    INFO(vector.name);
    const auto view = wire::decode(vector.bytes, {});
    REQUIRE(view);
    check_envelope(*view, vector.description["envelope"]);
  }
}

TEST_CASE("every envelope of a batch decodes to its description") {
  for (const auto& vector : vectors()) {
    const auto& items = vector.description["envelope"]["batch"];
    if (!items.is_list()) continue;
    INFO(vector.name);
    wire::BatchReader reader(wire::decode(vector.bytes, {})->payload, {});
    for (const auto& item : items.as_list()) {
      REQUIRE_FALSE(reader.done());
      const auto next = reader.next();
      REQUIRE(next);
      check_envelope(*next, item);
    }
    REQUIRE(reader.done());
  }
}

TEST_CASE("every bad vector is refused with its code, and the good envelopes of a bad batch stand") {
  for (const auto& vector : vectors()) {
    if (vector.good()) continue;
    INFO(vector.name);
    const auto& code = vector.description["refused"].as_string();
    const auto view = wire::decode(vector.bytes, {});
    if (vector.description["envelopes"].is_null()) {
      REQUIRE_FALSE(view);
      REQUIRE(view.error().code == code);
    } else {
      REQUIRE(view);
      REQUIRE(walk(*view) == std::pair(vector.description["envelopes"].as_int(), code));
    }
  }
}

TEST_CASE("every error vector decodes to its error") {
  for (const auto& vector : vectors()) {
    const auto& described = vector.description["error"];
    if (described.is_null()) continue;
    INFO(vector.name);
    const auto error = wire::decode_error(*wire::decode(vector.bytes, {}));
    REQUIRE(error.code == described["code"].as_string());
    if (described["message"].is_null()) continue;
    REQUIRE(error.message == described["message"].as_string());
    REQUIRE(error.name == described["name"].as_string());
    REQUIRE(error.hint == described["hint"].as_string());
    REQUIRE(to_string(error.kind) == described["kind"].as_string());
    REQUIRE(wire::encode_error(error) == payload_of(vector.description["envelope"]));
  }
}
