// The hashes, against published values.
#include "weft/base/hash.hpp"

#include <unordered_map>

#include "tests/support/catch.hpp"

using namespace weft;

TEST_CASE("FNV-1a gives the values of its authors' test vectors") {
  CHECK(fnv1a("") == 0xcbf29ce484222325);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8c);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8);
}

TEST_CASE("SplitMix64 gives the numbers of the reference program for the seed 1234567") {
  const std::uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
  std::uint64_t state = 1234567;
  for (const auto number : expected) {
    CHECK(splitmix64(state) == number);
    state += kGoldenRatio;
  }
}

TEST_CASE("the finaliser of MurmurHash3 keeps 0 and spreads 1") {
  CHECK(murmur_mix(0) == 0);
  CHECK(murmur_mix(1) == 0xb456bcfc34c2cb2c);
}

TEST_CASE("a number is 16 digits") {
  CHECK(to_hex(0) == "0000000000000000");
  CHECK(to_hex(0xfedcba9876543210) == "fedcba9876543210");
}

TEST_CASE("a map with TextHash is looked up by a view") {
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> map{{"one", 1}};
  CHECK(map.find(std::string_view("one, and more", 3))->second == 1);
}
