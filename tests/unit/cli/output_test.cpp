#include "cli/output.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

TEST_CASE("a table for a terminal pads every column but the last") {
  Table table({"AGENT", "HOST"});
  table.add({"sysmon", "alpha"});
  table.add({"x", "b"});
  REQUIRE(table.text(true) == "AGENT   HOST\nsysmon  alpha\nx       b\n");
}

TEST_CASE("a table for a pipe has one tab between columns and no padding") {
  Table table({"AGENT", "HOST"});
  table.add({"sysmon", ""});
  REQUIRE(table.text(false) == "AGENT\tHOST\nsysmon\t\n");
}

TEST_CASE("a table without rows is its headings") { REQUIRE(Table({"A", "B"}).text(true) == "A  B\n"); }

TEST_CASE("a table counts characters, not bytes") {
  Table table({"A", "B"});
  table.add({"µs", "1"});
  table.add({"abc", "2"});
  REQUIRE(table.text(true) == "A    B\nµs   1\nabc  2\n");
}

TEST_CASE("a table that is too wide for the terminal is cut in its widest column, but never in the first") {
  Table table({"ISSUE", "TEXT", "HOST"});
  table.add({"01ARZ3NDEKTSV4RRFFQ69G5FAV", "the grüße of an agent do not fit", "alpha"});
  table.add({"x", "short", "b"});
  const std::string whole = table.text(true);
  CHECK(table.text(true, 200) == whole);
  CHECK(table.text(true, 50) ==
        "ISSUE                       TEXT             HOST\n"
        "01ARZ3NDEKTSV4RRFFQ69G5FAV  the grüße of a…  alpha\n"
        "x                           short            b\n");
  // what cannot fit is not cut to nothing
  CHECK(table.text(true, 10).find("01ARZ3NDEKTSV4RRFFQ69G5FAV  the grüße o…  alpha\n") != std::string::npos);
  CHECK(table.text(false, 10) == table.text(false));
}

TEST_CASE("an error document has every member that a script may ask for") {
  const auto document = error_document(Error(codes::no_responders, "nobody serves x.y", "weft list"));
  REQUIRE(to_json(document) ==
          R"({"error":{"code":"WEFT-2003","hint":"weft list","kind":"unavailable","message":"nobody serves x.y",)"
          R"("name":"NO_RESPONDERS","retryable":true}})");
}

TEST_CASE("control characters in data cannot drive the terminal") {
  REQUIRE(printable("a\x1b[31mb\tc\n\x7f") == "a\\x1b[31mb\tc\\x0a\\x7f");
  REQUIRE(printable("grüße") == "grüße");
}

TEST_CASE("ages have one unit, and a time that is still to come is 0s") {
  REQUIRE(age(-5s) == "0s");
  REQUIRE(age(119s) == "119s");
  REQUIRE(age(120s) == "2m");
  REQUIRE(age(3h) == "3h");
  REQUIRE(age(49h) == "2d");
}
