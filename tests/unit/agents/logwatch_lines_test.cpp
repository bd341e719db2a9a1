#include "agents/logwatch/lines.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace weft::logwatch;

namespace {
/// Each line as "offset:text", with '~' where it was cut.
struct Collected {
  std::vector<std::string> lines;
  LineSplitter::OnLine on_line = [this](const Line& line) {
    lines.push_back(std::to_string(line.offset) + ":" + std::string(line.text) + (line.cut ? "~" : ""));
  };
};
std::vector<std::string> split_by(std::size_t piece, const std::string& bytes, std::size_t line_max = 8) {
  Collected collected;
  LineSplitter splitter(line_max, 0, false);
  for (std::size_t at = 0; at < bytes.size(); at += piece) splitter.feed(bytes.substr(at, piece), collected.on_line);
  splitter.finish(collected.on_line);
  CHECK(splitter.offset() == bytes.size());
  return collected.lines;
}
using Lines = std::vector<std::string>;
}  // namespace

TEST_CASE("lines come out the same however the bytes come in") {
  const std::string bytes = "one\ntwo\r\n\n12345678\n123456789\nvery very long\nlast";
  const Lines wanted{"0:one", "4:two", "9:", "10:12345678", "19:12345678~", "29:very ver~", "44:last"};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAPTURE(piece);
    CHECK(split_by(piece, bytes) == wanted);
  }
}

TEST_CASE("nothing gives no line, an empty line is one") {
  CHECK(split_by(1, "").empty());
  CHECK(split_by(1, "\n\n") == Lines{"0:", "1:"});
}

TEST_CASE("a line without its end is not given before it is finished") {
  Collected collected;
  LineSplitter splitter(100, 50, false);
  splitter.feed("a\nhal", collected.on_line);
  CHECK(collected.lines == Lines{"50:a"});
  CHECK(splitter.offset() == 52);
  splitter.feed("f\n", collected.on_line);
  CHECK(collected.lines.back() == "52:half");
  CHECK(splitter.offset() == 57);
}

TEST_CASE("a splitter that begins where another stopped gives the rest, nothing twice") {
  const std::string bytes = "short\na line that is far too long\nnext\npart";
  const auto whole = split_by(1000, bytes);
  for (std::size_t stop = 0; stop <= bytes.size(); ++stop) {
    CAPTURE(stop);
    Collected collected;
    LineSplitter first(8, 0, false);
    first.feed(bytes.substr(0, stop), collected.on_line);
    LineSplitter second(8, first.offset(), first.skipping());
    second.feed(bytes.substr(first.offset()), collected.on_line);
    second.finish(collected.on_line);
    CHECK(collected.lines == whole);
  }
}

TEST_CASE("an endless line is held in bounded memory and told at once") {
  Collected collected;
  LineSplitter splitter(10, 0, false);
  for (int i = 0; i < 1000; ++i) splitter.feed(std::string(1000, '\0'), collected.on_line);
  CHECK(collected.lines.size() == 1);
  CHECK(splitter.offset() == 1'000'000);
  CHECK(splitter.skipping());
}

TEST_CASE("only printable text leaves") {
  CHECK(printable("plain\ttext ä € 😀") == "plain\ttext ä € 😀");
  CHECK(printable(std::string_view("a\0b\x1b[31m\x7f", 9)) == "a?b?[31m?");
  CHECK(printable("\xff\xc3") == "??");
  CHECK(printable("\xc0\xaf") == "??");
  CHECK(printable("\xed\xa0\x80") == "???");
  CHECK(printable("\xf5\x80\x80\x80") == "????");
  CHECK(printable("\xc2\x85") == "??");
  CHECK(printable("").empty());
}
