#include "tests/support/catch.hpp"
#include "weft/observe/observe.hpp"

using namespace weft;
using observe::Health;

TEST_CASE("the worst check is the health of a process, and what is excepted does not count") {
  Health health;
  CHECK(health.worst().status == Health::pass);
  health.set("registry", false, "not registered yet");
  health.set("disk", Health::warn, "91 % full");
  health.set("agent", Health::warn, "low on paper");
  const std::string_view except[] = {"registry"};
  CHECK(health.worst().status == Health::critical);
  CHECK_FALSE(health.worst().ok);
  const auto worst = health.worst(except);
  CHECK(worst.status == Health::warn);
  CHECK(worst.ok);
  CHECK(worst.text == "low on paper; disk: 91 % full");
  health.set("db", false);
  CHECK(health.worst(except).text == "db");
}

TEST_CASE("a change of a check is announced once, and not when it says the same again") {
  Health health;
  std::vector<std::string> seen;
  health.on_change(
      [&](const std::string& name, const Health::Check& check) { seen.push_back(name + " " + check.text); });
  health.set("db", true, "fine");
  health.set("db", true, "fine");
  health.set("db", true, "slow");
  CHECK(seen == std::vector<std::string>{"db fine", "db slow"});
}
