#include "agents/sysmon/process_table.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::sysmon;

namespace {
const TimePoint kStart{std::chrono::hours(1)};

ProcessStat process(int pid, std::uint64_t ticks, std::uint64_t started = 1, std::uint64_t pages = 1) {
  return {pid, "p" + std::to_string(pid), 'R', ticks, started, pages};
}
}  // namespace

TEST_CASE("the processes that used most come first, then those that hold most memory") {
  ProcessTable table(10);
  for (int pid : {1, 2, 3, 4}) table.update(process(pid, 0, 1, pid == 4 ? 9 : 1), kStart, 100);
  table.update(process(1, 50), kStart + 1s, 100);
  table.update(process(2, 150), kStart + 1s, 100);
  table.update(process(3, 0), kStart + 1s, 100);
  const auto top = table.top(3, 4096);
  REQUIRE(top.size() == 3);
  CHECK(top[0].pid == 2);
  CHECK(top[0].cpu == Approx(1.5));
  CHECK(top[1].pid == 1);
  CHECK(top[2].pid == 4);
  CHECK(top[2].resident == 9 * 4096);
  CHECK(table.top(0, 4096).empty());
  CHECK(ProcessTable(10).top(3, 4096).empty());
}

TEST_CASE("a process id that is used again starts without a rate") {
  ProcessTable table(10);
  table.update(process(7, 1000, 1), kStart, 100);
  table.update(process(7, 2000, 55), kStart + 1s, 100);
  CHECK(table.top(1, 1)[0].cpu == 0);
}

TEST_CASE("a scan reads a bounded number of processes, and the next goes on behind them") {
  ProcessTable table(3);
  const std::vector<int> pids{1, 2, 3, 4, 5, 6, 7};
  CHECK(table.choose(pids) == std::vector<int>{1, 2, 3});
  CHECK(table.choose(pids) == std::vector<int>{4, 5, 6});
  CHECK(table.choose(pids) == std::vector<int>{7, 1, 2});
  CHECK(table.choose({1, 2, 3}) == std::vector<int>{1, 2, 3});
  CHECK(table.choose({}).empty());
}

TEST_CASE("processes that ended are forgotten") {
  ProcessTable table(10);
  for (int pid : {1, 2, 3}) table.update(process(pid, 0), kStart, 100);
  table.vanished(3);
  table.choose({2, 9});
  CHECK(table.size() == 1);
}

TEST_CASE("a name with odd bytes is shown without them") {
  ProcessTable table(10);
  auto odd = process(1, 0);
  odd.name =
      "a\n\xff"
      "b";
  table.update(odd, kStart, 100);
  CHECK(table.top(1, 1)[0].name == "a??b");
}
