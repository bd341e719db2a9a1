#include "agents/metrics/metrics.hpp"

#include "tests/support/catch.hpp"

using namespace weft;

namespace {
std::map<std::string, double> series_of(const metrics::Host& host) {
  std::map<std::string, double> all;
  metrics::each_series(host, [&](const std::string& name, double value) { all[name] = value; });
  return all;
}
}  // namespace

TEST_CASE("a host is read back from its topic, and from no other") {
  CHECK(metrics::topic_of("alpha") == "host.alpha.metrics");
  CHECK(metrics::host_of("host.alpha.metrics") == "alpha");
  for (const auto* other :
       {"", "host.metrics", "host..metrics", "host.a.b.metrics", "host.alpha.metric", "x.alpha.metrics"})
    CHECK(metrics::host_of(other).empty());
}

TEST_CASE("a first reading has no rates, but what needs none") {
  metrics::Host host;
  host.memory.used_ratio = 0.5;
  const auto series = series_of(host);
  CHECK(series.at("memory.used_ratio") == 0.5);
  CHECK(series.count("load.one") == 1);
  CHECK(series.count("cpu.busy") == 0);
}

TEST_CASE("every core, disk, interface and file system is a series whose name is a topic") {
  metrics::Host host;
  host.interval = 1;
  host.cpu.cores = {{"0", 0.25}, {"11", 0.5}};
  host.disks["sda"].busy = 0.75;
  host.networks["eth0.100@if3"].sent_bytes = 1000;
  host.filesystems = {{"/", 10, 5, 0.5}, {"/var/log", 10, 1, 0.9}};
  const auto series = series_of(host);
  CHECK(series.at("cpu.core.0") == 0.25);
  CHECK(series.at("cpu.core.11") == 0.5);
  CHECK(series.at("disk.sda.busy") == 0.75);
  CHECK(series.at("network.eth0_100_if3.sent_bytes") == 1000);
  CHECK(series.at("filesystem.root.used_ratio") == 0.5);
  CHECK(series.at("filesystem.var_log.used_ratio") == 0.9);
  for (const auto& [name, value] : series) CHECK(check_topic(name));
}

TEST_CASE("figures survive the way over the wire") {
  metrics::Host host;
  host.host = "alpha";
  host.interval = 1;
  host.cpu.cores = {{"0", 0.25}};
  host.disks["sda"].busy = 0.75;
  host.processes = {{1, "init", "S", 0.1, 4096}};
  const auto back = from_value<metrics::Host>(*from_msgpack(to_msgpack(to_value(host))));
  REQUIRE(back);
  CHECK(to_value(*back) == to_value(host));
}
