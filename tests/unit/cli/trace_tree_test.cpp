#include "cli/trace_tree.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

TracedSpan span(const std::string& process, const std::string& kind, const std::string& id, const std::string& parent,
                std::int64_t begin_us, std::int64_t duration_us, std::int64_t queue_us = 0) {
  TracedSpan out;
  out.process = process;
  out.span.name = "n" + id;
  out.span.kind = kind;
  out.span.span_id = id;
  out.span.parent_id = parent;
  out.span.begin_us = begin_us;
  out.span.duration_ns = duration_us * 1000;
  out.span.queue_ns = queue_us * 1000;
  return out;
}

std::vector<std::string> names(const std::vector<TraceRow>& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(std::string(row.level, ' ') + row.name);
  return out;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("no spans are no rows") {
  CHECK(trace_rows({}).empty());
  CHECK_FALSE(misses_callee({}));
}

TEST_CASE("a call and what its callee says of it are one row, whose clocks need not agree") {
  auto call = span("cli", "client", "1", "", 0, 1000);
  const auto rows = trace_rows({span("echo@a", "server", "2", "1", -5'000'000, 700, 200), call});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].name == "n1");
  CHECK(rows[0].where == "echo@a");
  CHECK(rows[0].total == 1000us);
  CHECK(rows[0].wire == 300us);
  CHECK(rows[0].queue == 200us);
  CHECK(rows[0].handler == 500us);
  CHECK(rows[0].outcome == "ok");
}

TEST_CASE("calls lie below the one that made them, in the order in which they began") {
  const auto rows = trace_rows({span("b@x", "server", "4", "3", 30, 1), span("a@x", "client", "5", "2", 20, 1),
                                span("a@x", "client", "3", "2", 10, 2), span("a@x", "server", "2", "1", 5, 90),
                                span("cli", "client", "1", "", 0, 100)});
  CHECK(names(rows) == Names{"n1", " n3", " n5"});
}

TEST_CASE("a call that nobody took says where it went, and why it failed") {
  auto failed = span("cli", "client", "1", "", 0, 1000);
  failed.span.error = "WEFT-2006";
  failed.span.peer = "echo@b";
  failed.span.attempt = 2;
  const auto rows = trace_rows({failed});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].where == "echo@b");
  CHECK(rows[0].name == "n1 (attempt 2)");
  CHECK(rows[0].outcome == "WEFT-2006");
  CHECK_FALSE(rows[0].has_wire);
  CHECK_FALSE(misses_callee({failed}));
}

TEST_CASE("a call that was answered and has no span of its callee is looked for again") {
  const auto call = span("cli", "client", "1", "", 0, 1000);
  CHECK(misses_callee({call}));
  CHECK_FALSE(misses_callee({call, span("a@x", "server", "2", "1", 0, 1)}));
}

TEST_CASE("what has lost its parent, or is its own, is shown all the same, once") {
  CHECK(names(trace_rows({span("a@x", "server", "2", "gone", 0, 1), span("b@x", "internal", "3", "2", 1, 1)})) ==
        Names{"n2", " n3"});
  CHECK(names(trace_rows({span("a@x", "server", "2", "2", 0, 1)})) == Names{"n2"});
  CHECK(trace_rows({span("a@x", "internal", "2", "3", 0, 1), span("a@x", "internal", "3", "2", 0, 1)}).size() <= 2);
}

TEST_CASE("durations have three digits that matter") {
  CHECK(short_duration(0ns) == "0.00us");
  CHECK(short_duration(1234ns) == "1.23us");
  CHECK(short_duration(850us) == "850us");
  CHECK(short_duration(12'345us) == "12.3ms");
  CHECK(short_duration(1200ms) == "1.20s");
}
