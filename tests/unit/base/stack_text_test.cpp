#include "weft/base/stack_text.hpp"

#include "tests/support/catch.hpp"

using namespace weft;

TEST_CASE("a frame without a symbol, or whose file was changed since, has its place instead of a name") {
  CHECK(stack_text({{0, "/proc/self/exe"}, {0x20, "/nowhere/lib.so"}}, INT64_MAX) ==
        "#0 0x0 in ?? from exe\n#1 0x20 in ?? from lib.so");
  CHECK(stack_text({{0x1f40, "/proc/self/exe"}}, 1) == "#0 0x1f40 in ?? from exe");
  CHECK(stack_text({}, 0) == "");
}

TEST_CASE("numbers are written with their digits only") {
  CHECK(hex_text(0) == "0x0");
  CHECK(hex_text(0x1f40) == "0x1f40");
  CHECK(hex_text(~std::uint64_t{0}) == "0xffffffffffffffff");
}
