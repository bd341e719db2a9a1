#include "weft/base/crc32.hpp"

#include "tests/support/catch.hpp"

using namespace weft;

TEST_CASE("the sum is that of the standard's check, and of nothing it is zero") {
  CHECK(crc32(as_bytes("123456789")) == 0xCBF43926U);
  CHECK(crc32({}) == 0);
}

TEST_CASE("a sum goes on over parts of any size, and each flipped bit changes it") {
  const std::string text = "items that wait are not to be changed";
  const auto whole = crc32(as_bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    CHECK(crc32(as_bytes(text.substr(cut)), crc32(as_bytes(text.substr(0, cut)))) == whole);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK(crc32(as_bytes(flipped)) != whole);
  }
}
