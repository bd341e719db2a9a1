#include "agents/sysmon/proc_reader.hpp"

#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::sysmon;

TEST_CASE("what is ignored is not read") {
  test::TempDir proc;
  proc.write("net/dev", "lo: 1 1\nveth12: 1 1\neth0: 1 1\n");
  proc.write("diskstats", "7 0 loop0 1 0 1 0 1 0 1 0 0 1 1\n8 0 sda 1 0 1 0 1 0 1 0 0 1 1\n");
  const auto reading = ProcReader({proc.path(), {"loop*"}, {"lo", "veth*"}}).read();
  CHECK(reading.networks.size() == 1);
  CHECK(reading.networks.count("eth0") == 1);
  CHECK(reading.disks.size() == 1);
}

TEST_CASE("a folder without files is a reading of zeros") {
  const auto reading = ProcReader({"/nonexistent", {}, {}}).read();
  CHECK(reading.memory.total == 0);
  CHECK(reading.disks.empty());
  ProcessTable table(10);
  ProcReader({"/nonexistent", {}, {}}).scan(table, ManualClock());
  CHECK(table.size() == 0);
}

TEST_CASE("a scan takes the processes it can read and leaves the others") {
  test::TempDir proc;
  proc.write("10/stat", "10 (good) S 1 1 1 0 -1 0 0 0 0 0 7 3 0 0 20 0 1 0 5 0 1\n");
  proc.write("11/stat", "junk");
  proc.write("12/other", "");
  proc.write("13x/stat", "13 (no) S 1");
  ProcessTable table(10);
  ProcReader({proc.path(), {}, {}}).scan(table, ManualClock());
  REQUIRE(table.size() == 1);
  CHECK(table.top(1, 1)[0].name == "good");
}

TEST_CASE("this machine's own /proc is understood") {
  const ProcReader reader({"/proc", {}, {}});
  const auto reading = reader.read();
  CHECK(reading.stat.total.user + reading.stat.total.idle > 0);
  CHECK(!reading.stat.cores.empty());
  CHECK(reading.memory.total > 0);
  CHECK(reading.uptime > 0);
  ProcessTable table(100'000);
  reader.scan(table, SystemClock());
  CHECK(table.size() > 0);
}

TEST_CASE("a file system has a size, a path that is none has no figures") {
  const auto root = read_filesystem("/");
  REQUIRE(root);
  CHECK(root->size > 0);
  CHECK(root->used_ratio >= 0);
  CHECK(root->used_ratio <= 1);
  CHECK_FALSE(read_filesystem("/nonexistent"));
}
