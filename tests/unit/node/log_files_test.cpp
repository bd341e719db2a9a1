#include "node/log_files.hpp"

#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/unit/node/scratch.hpp"

using namespace weft::node;
using weft::node::test::Scratch;

namespace {
struct Fixture : Scratch {
  std::string file = folder + "/a.log";
  void write(const std::string& text) { std::ofstream(file, std::ios::app) << text; }
  std::string content(const std::string& suffix = "") { return log_from(file + suffix, 0).text; }
};
}  // namespace

TEST_CASE_METHOD(Fixture, "the tail of a log that does not exist yet is empty") {
  CHECK(log_tail(file, 10).text.empty());
  CHECK(log_from(file, 500).next_offset == 0);
  CHECK(rotate_log(file));
}

TEST_CASE_METHOD(Fixture, "the tail is the last lines, whole") {
  write("one\ntwo\nthree\n");
  CHECK(log_tail(file, 0).text.empty());
  CHECK(log_tail(file, 1).text == "three\n");
  CHECK(log_tail(file, 2).text == "two\nthree\n");
  CHECK(log_tail(file, 9).text == "one\ntwo\nthree\n");
  CHECK(log_tail(file, 9, 8).text == "three\n");
  CHECK(log_tail(file, 9).next_offset == 14);
}

TEST_CASE_METHOD(Fixture, "reading on gives each line once, and never half a line") {
  write("one\ntw");
  const auto page = log_from(file, 0);
  CHECK(page.text == "one\n");
  CHECK(log_from(file, page.next_offset).text.empty());
  write("o\n");
  CHECK(log_from(file, page.next_offset).text == "two\n");
}

TEST_CASE_METHOD(Fixture, "a line longer than a page comes in pieces") {
  write("abcdefgh\n");
  const auto page = log_from(file, 0, 4);
  CHECK(page.text == "abcd");
  CHECK(log_from(file, page.next_offset, 8).text == "efgh\n");
}

TEST_CASE_METHOD(Fixture, "a log over its size moves on and the newest three are kept") {
  std::ofstream writer(file, std::ios::app);  // goes on writing, as an agent does
  for (int round = 1; round <= 5; ++round) {
    writer << "round " << round << "\n" << std::flush;
    CHECK(rotate_log(file, 5, 3));
  }
  CHECK(content().empty());
  CHECK(content(".1") == "round 5\n");
  CHECK(content(".3") == "round 3\n");
  CHECK_FALSE(std::filesystem::exists(file + ".4"));
  writer << "new\n" << std::flush;
  CHECK(rotate_log(file, 5, 3));
  CHECK(content() == "new\n");
}

TEST_CASE_METHOD(Fixture, "an offset of before the rotation reads from the start") {
  write("new\n");
  CHECK(log_from(file, 1000).text == "new\n");
}
