// UTF-8, against table 3-7 of the Unicode Standard.
#include "weft/base/utf8.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace weft;

namespace {

struct Range {
  int low, high;
  bool has(int byte) const { return byte >= low && byte <= high; }
};
/// Table 3-7: the bytes of each kind of well-formed sequence.
const std::vector<std::vector<Range>> kTable{
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

std::size_t by_table(const std::string& text) {
  for (const auto& row : kTable) {
    bool fits = text.size() >= row.size();
    for (std::size_t i = 0; fits && i < row.size(); ++i) fits = row[i].has(static_cast<unsigned char>(text[i]));
    if (fits) return row.size();
  }
  return 0;
}

}  // namespace

TEST_CASE("a sequence is well-formed exactly when the Unicode table says so") {
  const std::vector<int> later{0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xFF};
  std::size_t wrong = 0, well_formed = 0;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (const int third : later) {
        for (const int fourth : later) {
          std::string text;
          for (const int byte : {first, second, third, fourth}) text += static_cast<char>(byte);
          for (std::size_t size = 1; size <= 4; ++size) {
            const auto expected = by_table(text.substr(0, size));
            wrong += utf8::sequence_length(std::string_view(text).substr(0, size)) == expected ? 0U : 1U;
            well_formed += expected == size ? 1U : 0U;
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(well_formed > 100'000);
  CHECK(utf8::sequence_length("") == 0);
}

TEST_CASE("text is valid when all of it is") {
  for (const char* text : {"", "plain", "ü€𝄞"}) CHECK(utf8::valid(text));
  for (const char* text : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "ok\xE2\x82", "\x80"})
    CHECK_FALSE(utf8::valid(text));
  CHECK(utf8::valid_length("ü\xFFz") == 2);
}

TEST_CASE("a cut never leaves a part of a character") {
  const std::string text = "aü€𝄞";  // 1, 2, 3 and 4 bytes
  const std::vector<std::size_t> kept{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t most = 0; most < kept.size(); ++most) {
    INFO(most);
    CHECK(utf8::cut(text, most).size() == kept[most]);
  }
  CHECK(utf8::cut(std::string(10, '\x80'), 7).size() == 7);  // not text, but not lost either
}

TEST_CASE("each byte that belongs to no character is replaced") {
  CHECK(utf8::replace_invalid("ü") == "ü");
  CHECK(utf8::replace_invalid("a\xFF"
                              "b\xE2\x82") == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(utf8::replace_invalid("\xE2\x82ü") == "\uFFFD\uFFFDü");
}

TEST_CASE("columns are counted in characters") {
  CHECK(utf8::columns("") == 0);
  CHECK(utf8::columns("aü€𝄞") == 4);
}
