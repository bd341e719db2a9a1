#include "node/units.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/unit/node/scratch.hpp"

using namespace weft;
using namespace weft::node;
using Names = std::vector<std::string>;

namespace {

struct Fixture : weft::node::test::Scratch {
  Fixture() {
    for (const auto* name : {"weft-registry", "weft-errorbus", "sysmon", "reader"})
      std::filesystem::create_symlink("/bin/true", folder + "/" + name);
    ::setenv("WEFT_PROGRAM_PATH", folder.c_str(), 1);
    settings.host = "alpha";
    settings.config_directory = "/etc/weft";
    settings.environment = "demo";
    settings.fleet_folder = folder;
    settings.inherited = {"PATH=/bin", "NOTIFY_SOCKET=/other", "WEFT_HOST=elsewhere", "WEFT__LOG__LEVEL=debug"};
    places.state = "/state";
    places.run = "/run/x";
  }
  Fleet fleet(const std::string& agents) {
    auto read = parse_fleet(
        "mesh: demo\nhosts: {alpha: {address: 127.0.0.2, hub: true}, beta: {address: 10.0.0.3}}\n" + agents, "f");
    REQUIRE(read.mistakes.empty());
    return read.fleet;
  }
  std::vector<PlacedUnit> units(const Fleet& of) {
    auto built = units_of(of, settings, places);
    REQUIRE(built);
    return *built;
  }
  static bool has(const Unit& unit, const std::string& variable) {
    const auto& env = unit.command.env;
    return std::find(env.begin(), env.end(), variable) != env.end();
  }
  HostSettings settings;
  Places places;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a host without agents still has its registry and its error bus, in that order") {
  const auto built = units(fleet("agents: {}"));
  REQUIRE(built.size() == 2);
  CHECK(built[0].unit.name == "registry");
  CHECK(built[1].unit.needs == Names{"registry"});
  CHECK(built[1].infrastructure);
  CHECK(built[1].unit.restart.essential);
}

TEST_CASE_METHOD(Fixture, "an agent runs in the folder of the fleet file, or in its cwd from there") {
  std::filesystem::create_directory(folder + "/data");
  const auto built = units(fleet("agents: {a: {program: sysmon}, b: {program: sysmon, cwd: data}}"));
  CHECK(built[0].unit.command.cwd.empty());  // the registry
  CHECK(built[2].unit.command.cwd == folder + "/");
  CHECK(built[3].unit.command.cwd == folder + "/data");
  const auto missing = units_of(fleet("agents: {a: {program: sysmon, cwd: nosuch}}"), settings, places);
  CHECK(missing.error().message == "a: cwd: there is no folder '" + folder + "/nosuch'");
}

TEST_CASE_METHOD(Fixture, "an agent gets the settings of its host, and nothing that was meant for the node") {
  const auto unit = units(fleet("agents: {sysmon: {program: sysmon, env: {A: b}}}"))[2].unit;
  CHECK(unit.needs == Names{"registry", "errorbus"});
  CHECK(unit.command.log == "/state/log/sysmon.log");
  for (const auto* wanted :
       {"PATH=/bin", "WEFT__LOG__LEVEL=debug", "WEFT_HOST=alpha", "WEFT_SLOT=sysmon@alpha", "WEFT_ENV=demo",
        "WEFT_CONFIG_DIR=/etc/weft", "WEFT__MESH__NAME=\"demo\"", "WEFT__HOST__ADDRESS=\"127.0.0.2\"",
        "WEFT__REGISTRY__ADDRESSES=[\"tcp://127.0.0.2:7411\",\"tcp://10.0.0.3:7411\"]",
        "WEFT__REGISTRY__PEERS=[\"tcp://10.0.0.3:7411\"]", "WEFT__ERRORBUS__HUB=\"\"", "WEFT__ADMIN__BIND=host",
        "WEFT__STATE__DIRECTORY=\"/state\"", "NOTIFY_SOCKET=/run/x/notify.sock", "WATCHDOG_USEC=10000000",
        "WEFT_LOG_FILE=/state/log/sysmon.log", "A=b"}) {
    INFO(wanted);
    CHECK(has(unit, wanted));
  }
  CHECK_FALSE(has(unit, "NOTIFY_SOCKET=/other"));
  CHECK_FALSE(has(unit, "WEFT_HOST=elsewhere"));
}

TEST_CASE_METHOD(Fixture, "a host that is not the hub forwards to the hub, and asks its own registry first") {
  settings.host = "beta";
  const auto unit = units(fleet("agents: {}"))[0].unit;
  CHECK(has(unit, "WEFT__ERRORBUS__HUB=\"tcp://127.0.0.2:7421\""));
  CHECK(has(unit, "WEFT__REGISTRY__ADDRESSES=[\"tcp://10.0.0.3:7411\",\"tcp://127.0.0.2:7411\"]"));
}

TEST_CASE_METHOD(Fixture, "a section of the fleet file and another name come as arguments") {
  const auto unit = units(fleet("agents: {x: {program: ./reader, args: [-v], config: {a: 1, b: [c]}}}"))[2].unit;
  CHECK(unit.command.program == folder + "/reader");
  CHECK(unit.command.args == Names{"-v", "--name", "x", "--set", "agent.a=1", "--set", "agent.b=[\"c\"]"});
}

TEST_CASE_METHOD(Fixture, "needs come before those that need them") {
  const auto built = units(
      fleet("agents: {a: {program: reader, needs: [z]}, z: {program: reader}, b: {on: [beta], program: reader}}"));
  REQUIRE(built.size() == 4);
  CHECK(built[2].unit.name == "z");
  CHECK(built[3].unit.needs == Names{"registry", "errorbus", "z"});
}

TEST_CASE_METHOD(Fixture, "every program that does not exist is named") {
  const auto built = units_of(fleet("agents: {nosuch: {}, other: {program: ./missing}}"), settings, places);
  REQUIRE_FALSE(built);
  CHECK(built.error().message.find("'weft-nosuch'") != std::string::npos);
  CHECK(built.error().message.find("/missing'") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a fingerprint stays while nothing changes and changes with the settings") {
  const auto before = units(fleet("agents: {sysmon: {program: sysmon}}"));
  settings.inherited.push_back("TERM=xterm");
  const auto same = units(fleet("agents: {sysmon: {program: sysmon, stop_timeout: 1s}}"));
  const auto other = units(fleet("agents: {sysmon: {program: sysmon, config: {a: 1}}}"));
  CHECK(before[2].fingerprint == same[2].fingerprint);
  CHECK(before[2].fingerprint != other[2].fingerprint);
  CHECK(before[1].fingerprint == other[1].fingerprint);
}

TEST_CASE_METHOD(Fixture, "a need that runs elsewhere only is said, not waited for") {
  const auto of = fleet("agents: {a: {on: [beta], program: reader}, b: {on: [alpha], needs: [a], program: reader}}");
  CHECK(units(of)[2].unit.needs == Names{"registry", "errorbus"});
  CHECK(remote_needs(of, "alpha") == Names{"b needs a, which runs on beta: not waited for"});
  CHECK(remote_needs(of, "beta").empty());
}
