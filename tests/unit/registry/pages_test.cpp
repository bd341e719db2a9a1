// What the registry shows over HTTP.
#include "registry/pages.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;

namespace {

struct Fixture {
  registry::View view;
  void put(InstanceRecord record, const std::string& admin) {
    record.registry = record.host;
    record.admin = admin;
    view.apply(record.registry, {{record}, {}});
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty mesh is an empty list") {
  CHECK(registry::agents_json(view, "", "") == "[]");
  CHECK(registry::http_sd_json(view, "alpha") == "[]");
}

TEST_CASE_METHOD(Fixture, "agents are listed whole, or those of one name or host") {
  put(record_of(1, "echo", "alpha"), "");
  put(record_of(2, "echo", "beta"), "");
  put(record_of(3, "digest", "beta"), "");
  const auto count = [&](const std::string& agent, const std::string& host) {
    return from_json(registry::agents_json(view, agent, host)).value().as_list().size();
  };
  CHECK(count("", "") == 3);
  CHECK(count("echo", "") == 2);
  CHECK(count("", "beta") == 2);
  CHECK(count("echo", "beta") == 1);
  CHECK(count("nobody", "") == 0);
  const auto list = from_json(registry::agents_json(view, "digest", "")).value();
  CHECK(from_value<InstanceRecord>(list.as_list().at(0)).value() == *view.find(id_of(3)));
}

TEST_CASE_METHOD(Fixture, "a loopback admin door is a target for its own host only, one without a door is none") {
  put(record_of(1, "echo", "alpha"), "127.0.0.1:40003");
  put(record_of(2, "echo", "beta"), "127.0.0.1:40003");
  put(record_of(3, "digest", "beta"), "10.0.0.2:9000");
  put(record_of(4, "probe", "beta"), "");
  const auto targets = from_json(registry::http_sd_json(view, "alpha")).value();
  REQUIRE(targets.as_list().size() == 2);
  CHECK(targets.as_list()[0]["targets"] == Value(Value::List{"127.0.0.1:40003"}));
  CHECK(targets.as_list()[1]["targets"] == Value(Value::List{"10.0.0.2:9000"}));
}

TEST_CASE_METHOD(Fixture, "a target has the labels that dashboards select by") {
  auto record = record_of(1);
  record.tags["env"] = "demo";
  put(record, "10.0.0.1:9000");
  put(record_of(2, "plain"), "10.0.0.1:9001");
  const auto targets = from_json(registry::http_sd_json(view, "alpha")).value();
  CHECK(targets.as_list()[0]["labels"] == Value(Value::Map{{"__metrics_path__", "/metrics"},
                                                           {"agent", "echo"},
                                                           {"host", "alpha"},
                                                           {"env", "demo"},
                                                           {"version", "1.0.0"},
                                                           {"instance", id_of(1).to_string()}}));
  CHECK(targets.as_list()[1]["labels"]["env"].is_null());
}

TEST_CASE("loopback addresses are told from others") {
  for (const auto* address : {"127.0.0.1:1", "127.0.0.3:7410", "localhost:80", "[::1]:80"})
    CHECK(registry::is_loopback(address));
  for (const auto* address : {"10.0.0.1:1", "alpha:80", "[fe80::1]:80", ""})
    CHECK_FALSE(registry::is_loopback(address));
}
