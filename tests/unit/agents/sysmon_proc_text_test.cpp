#include "agents/sysmon/proc_text.hpp"

#include "tests/support/catch.hpp"

using namespace weft::sysmon;

TEST_CASE("/proc/stat gives the total and each core that is online") {
  const auto stat = parse_stat(
      "cpu  10 1 20 300 5 2 3 4 0 0\ncpu0 5 1 10 150 2 1 1 2 0 0\ncpu3 5 0 10 150 3 1 2 2 0 0\nintr 1 2 3\nctxt 9\n");
  CHECK(stat.total.user == 10);
  CHECK(stat.total.steal == 4);
  REQUIRE(stat.cores.size() == 2);
  CHECK(stat.cores.at("3").iowait == 3);
}

TEST_CASE("an old kernel's short cpu line has zeros for what it lacks") {
  const auto stat = parse_stat("cpu  10 1 20 300\n");
  CHECK(stat.total.idle == 300);
  CHECK(stat.total.steal == 0);
}

TEST_CASE("nothing, junk and half lines give zeros") {
  for (const auto* text : {"", "\n\n", "cpu", "cpu -1 x 99999999999999999999999 4", "cpufreq 1 2", "\xff\xfe cpu 1"}) {
    CAPTURE(text);
    CHECK(parse_stat(text).total.user == 0);
    CHECK(parse_loadavg(text).one == 0);
    CHECK(parse_meminfo(text).total == 0);
    CHECK(parse_uptime(text) == 0);
    CHECK(parse_diskstats(text).empty());
    CHECK(parse_net_dev(text).empty());
    CHECK_FALSE(parse_process(text));
  }
  CHECK(parse_loadavg("nan inf -3 1/x 5").one == 0);
}

TEST_CASE("/proc/loadavg gives loads and tasks") {
  const auto load = parse_loadavg("0.52 1.25 2.00 3/421 12345\n");
  CHECK(load.one == 0.52);
  CHECK(load.fifteen == 2.0);
  CHECK(load.running == 3);
  CHECK(load.tasks == 421);
}

TEST_CASE("/proc/meminfo gives bytes, and estimates what an old kernel does not say") {
  const auto memory = parse_meminfo(
      "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    250 kB\nSwapTotal: 200 kB\nSwapFree: 50 "
      "kB\n");
  CHECK(memory.total == 1000 * 1024);
  CHECK(memory.used == 750 * 1024);
  CHECK(memory.used_ratio == Approx(0.75));
  CHECK(memory.swap_used == 150 * 1024);
  CHECK(parse_meminfo("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 150 kB\n").available == 300 * 1024);
  CHECK(parse_meminfo("MemTotal: 10 kB\nMemAvailable: 99 kB\n").used == 0);
}

TEST_CASE("/proc/diskstats gives whole disks that were used") {
  const auto disks = parse_diskstats(
      "   8       0 sda 100 5 2000 30 50 6 4000 70 0 80 90 0 0 0 0 0 0\n"
      "   8       1 sda1 90 5 1900 30 50 6 4000 70 0 80 90\n"
      " 259       0 nvme0n1 1 0 8 0 0 0 0 0 0 1 1\n"
      " 259       1 nvme0n1p1 1 0 8 0 0 0 0 0 0 1 1\n"
      "   9       1 md1 1 0 8 0 0 0 0 0 0 1 1\n"
      "   9      12 md12 1 0 8 0 0 0 0 0 0 1 1\n"
      "   8      16 sdb 0 0 0 0 0 0 0 0 0 0 0\n");
  std::vector<std::string> names;
  for (const auto& [name, counters] : disks) names.push_back(name);
  CHECK(names == std::vector<std::string>{"md1", "md12", "nvme0n1", "sda"});
  CHECK(disks.at("sda").sectors_read == 2000);
  CHECK(disks.at("sda").sectors_written == 4000);
  CHECK(disks.at("sda").busy_ms == 80);
}

TEST_CASE("/proc/net/dev gives interfaces, also without a blank after the colon and with aliases") {
  const auto interfaces = parse_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
      "carrier\n"
      "    lo:1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n"
      "  eth0: 5000 50 1 2 0 0 0 0 7000 70 3 4 0 0 0 0\n"
      "eth0:1: 1 2 3 4\n");
  REQUIRE(interfaces.size() == 3);
  CHECK(interfaces.at("lo").received_bytes == 1000);
  CHECK(interfaces.at("eth0").sent_packets == 70);
  CHECK(interfaces.at("eth0").errors == 4);
  CHECK(interfaces.at("eth0").drops == 6);
  CHECK(interfaces.at("eth0:1").sent_bytes == 0);
}

TEST_CASE("a process may have any name") {
  const std::string tail = " S 1 1 1 0 -1 4194560 1 2 3 4 700 30 5 6 20 0 1 0 99 1000 250 18446744073709551615\n";
  for (const std::string name : {"init", "a b", "x) R (y", "(", ")", "", "two\nlines"}) {
    CAPTURE(name);
    const auto process = parse_process("42 (" + name + ")" + tail);
    REQUIRE(process);
    CHECK(process->pid == 42);
    CHECK(process->name == name);
    CHECK(process->state == 'S');
    CHECK(process->ticks == 730);
    CHECK(process->started == 99);
    CHECK(process->resident_pages == 250);
  }
}

TEST_CASE("a process line that is cut has zeros, or is refused") {
  CHECK(parse_process("42 (init) S 1 2")->ticks == 0);
  for (const auto* bad : {"42 (init", "42 init) S", "x (init) S", "42 (init)", "42 )init( S 1", "(init) S"})
    CHECK_FALSE(parse_process(bad));
}
