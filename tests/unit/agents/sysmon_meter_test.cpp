#include "agents/sysmon/meter.hpp"

#include "agents/sysmon/counters.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::sysmon;

namespace {
const TimePoint kStart{std::chrono::hours(1)};

Reading reading_of(std::uint64_t busy_ticks, std::uint64_t idle_ticks) {
  Reading reading;
  reading.stat.total.user = busy_ticks;
  reading.stat.total.idle = idle_ticks;
  return reading;
}
}  // namespace

TEST_CASE("a counter moves on, wraps at 32 bits, or was reset") {
  CHECK(moved(5, 5) == 0);
  CHECK(moved(5, 9) == 4);
  CHECK(moved(0xffff'fff0, 0x10) == 0x20);
  CHECK_FALSE(moved(1000, 10));
  CHECK_FALSE(moved(std::uint64_t{1} << 40, 10));
  CHECK(rate(100, 300, 2.0) == 100.0);
  CHECK(rate(300, 100, 2.0) == 0.0);
  CHECK(rate(100, 300, 0.0) == 0.0);
}

TEST_CASE("shares of processor time add up to the busy time") {
  CpuTimes before, now;
  now.user = 10, now.nice = 10, now.system = 10, now.irq = 5, now.softirq = 5, now.steal = 10, now.iowait = 20,
  now.idle = 30;
  const auto cpu = cpu_between(before, now);
  CHECK(cpu.user == Approx(0.2));
  CHECK(cpu.system == Approx(0.2));
  CHECK(cpu.busy == Approx(0.5));
  CHECK(cpu.iowait == Approx(0.2));
}

TEST_CASE("an idle time that falls a little is taken as standing still") {
  CpuTimes before, now;
  before.idle = 1000, now.idle = 990, now.user = 10;
  CHECK(cpu_between(before, now).busy == 1.0);
  CHECK(cpu_between(now, now).busy == 0.0);
}

TEST_CASE("the first reading has no rates, the second has") {
  Meter meter;
  CHECK(meter.take(reading_of(0, 0), kStart).interval == 0);
  const auto host = meter.take(reading_of(25, 75), kStart + 2s);
  CHECK(host.interval == 2.0);
  CHECK(host.cpu.busy == Approx(0.25));
}

TEST_CASE("two readings at the same time make no rate and no division by zero") {
  Meter meter;
  meter.take(reading_of(0, 0), kStart);
  CHECK(meter.take(reading_of(25, 75), kStart).interval == 0);
}

TEST_CASE("devices and cores that come or go have rates only while they are in two readings") {
  Meter meter;
  auto first = reading_of(0, 0), second = reading_of(1, 1);
  first.disks["sda"] = {10, 100, 0, 0, 0};
  first.networks["gone"] = {};
  second.disks["sda"] = {20, 300, 0, 0, 500};
  second.disks["new"] = {};
  second.stat.cores["1"] = {};
  meter.take(first, kStart);
  const auto host = meter.take(second, kStart + 1s);
  REQUIRE(host.disks.size() == 1);
  CHECK(host.disks.at("sda").reads == 10);
  CHECK(host.disks.at("sda").read_bytes == 200 * 512);
  CHECK(host.disks.at("sda").busy == Approx(0.5));
  CHECK(host.networks.empty());
  CHECK(host.cpu.cores.empty());
}

TEST_CASE("an interface that was replaced has no rate below zero") {
  Meter meter;
  auto first = reading_of(0, 0), second = reading_of(1, 1);
  first.networks["eth0"].received_bytes = 1'000'000;
  second.networks["eth0"].received_bytes = 10;
  meter.take(first, kStart);
  CHECK(meter.take(second, kStart + 1s).networks.at("eth0").received_bytes == 0);
}
