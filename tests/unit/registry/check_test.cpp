// What a registry refuses to take in.
#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::check_record;
using wire::CircuitNews, wire::kCircuitNewsMax;

namespace {

/// The code with which a record is refused after `change`; empty: it is taken.
std::string code_with(const std::function<void(InstanceRecord&)>& change) {
  InstanceRecord record = record_of(1);
  change(record);
  const auto checked = check_record(record, "demo");
  return checked ? std::string() : checked.error().code;
}

}  // namespace

TEST_CASE("a good record is taken, also with nothing but who it is") {
  CHECK(check_record(record_of(1), "demo"));
  InstanceRecord bare = record_of(1);
  bare.call_endpoint.clear();
  bare.slot.clear();
  bare.methods.clear();
  CHECK(check_record(bare, "demo"));
}

TEST_CASE("a record of another mesh is refused with both names") {
  const auto refused = check_record(record_of(1), "other");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::wrong_mesh));
  CHECK(refused.error().message == "agent 'echo' is of mesh 'demo', this registry serves mesh 'other'");
}

TEST_CASE("who speaks only other versions of the protocol is refused with both, one that overlaps is taken") {
  InstanceRecord record = record_of(1);
  record.protocol_max = 2;
  CHECK(registry::check_protocol(record));
  record.protocol_min = 2;
  const auto refused = registry::check_protocol(record);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::wrong_version));
  CHECK(refused.error().message == "agent 'echo' speaks versions 2 to 2 of the protocol, this registry version 1");
}

TEST_CASE("an epoch of more than 32 bits is refused, for an envelope has no room for it") {
  CHECK(code_with([](auto& r) { r.epoch = 0xffff'ffff; }).empty());
  CHECK(code_with([](auto& r) { r.epoch = 0x1'0000'0000; }) == codes::bad_value.id);
}

TEST_CASE("names, endpoints and topics that nobody could use are refused") {
  CHECK(code_with([](auto& r) { r.agent = "no spaces"; }) == codes::bad_name.id);
  CHECK(code_with([](auto& r) { r.agent.clear(); }) == codes::bad_name.id);
  CHECK(code_with([](auto& r) { r.host = std::string(65, 'h'); }) == codes::bad_name.id);
  CHECK(code_with([](auto& r) { r.host = std::string(64, 'h'); }).empty());
  CHECK(code_with([](auto& r) { r.instance = {}; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.slot = "two words"; }) == codes::bad_name.id);
  CHECK(code_with([](auto& r) { r.call_endpoint = "http://10.0.0.1:80"; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.publish_local = "ipc://"; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.methods = {{"a.b", ""}}; }) == codes::bad_name.id);
  CHECK(code_with([](auto& r) { r.topics = {"host.*.metrics", "a.#"}; }).empty());
  CHECK(code_with([](auto& r) { r.topics = {"a..b"}; }) == codes::bad_topic.id);
  CHECK(code_with([](auto& r) { r.tags = {{"no spaces", "v"}}; }) == codes::bad_name.id);
}

TEST_CASE("an endpoint that no peer could connect to is refused, with what was wanted") {
  for (const auto* endpoint :
       {"inproc://a", "tcp://", "tcp://10.0.0.1", "tcp://10.0.0.1:", "tcp://:80", "tcp://*:80", "tcp://0.0.0.0:80",
        "tcp://[::]:80", "tcp://10.0.0.1:0", "tcp://10.0.0.1:65536", "tcp://10.0.0.1:8o", "tcp://a b:80",
        "tcp://eth0;b:1:80", "ipc://", "ipc://relative", "ipc:///a\nb", "udp://10.0.0.1:80", "10.0.0.1:80"}) {
    CAPTURE(endpoint);
    CHECK(code_with([&](auto& r) { r.call_endpoint = endpoint; }) == codes::bad_value.id);
    CHECK(code_with([&](auto& r) { r.publish_local = endpoint; }) == codes::bad_value.id);
  }
  CHECK(code_with([&](auto& r) { r.call_local = "ipc:///" + std::string(107, 'p'); }) == codes::bad_value.id);
  for (const auto* endpoint : {"tcp://10.0.0.1:40001", "tcp://[fe80::1%eth0]:1", "tcp://alpha.local:65535",
                               "tcp://host_1:7411", "ipc:///run/weft/x.call", "ipc://@abstract", ""}) {
    CAPTURE(endpoint);
    CHECK(code_with([&](auto& r) { r.call_endpoint = endpoint; }).empty());
  }
  InstanceRecord record = record_of(1);
  record.call_endpoint = "inproc://a";
  CHECK(check_record(record, "demo").error().message ==
        "agent 'echo': call_endpoint: 'inproc://a' is no endpoint that others can connect to: wanted "
        "tcp://10.0.0.1:40001 or ipc:///run/weft/x.call");
}

TEST_CASE("a version that is no semantic one is refused, with what was wanted") {
  CHECK(code_with([](auto& r) { r.version = "banana!!"; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.version = "1.2"; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.version = "2.0.0-rc.1+5"; }).empty());
  CHECK(code_with([](auto& r) { r.version.clear(); }).empty());
  InstanceRecord record = record_of(1);
  record.version = "banana!!";
  CHECK(check_record(record, "demo").error().message ==
        "agent 'echo': version: 'banana!!' is no semantic version: wanted one such as 1.4.0 or 2.0.0-rc.1");
}

TEST_CASE("every size and count has a limit, and the limit itself is fine") {
  const std::string long_text(registry::kTextMax + 1, 's');
  CHECK(code_with([](auto& r) { r.methods.assign(registry::kMethodsMax, {"m", ""}); }).empty());
  CHECK(code_with([](auto& r) { r.methods.assign(registry::kMethodsMax + 1, {"m", ""}); }) == codes::too_large.id);
  CHECK(code_with([](auto& r) { r.topics.assign(registry::kTopicsMax + 1, "t"); }) == codes::too_large.id);
  CHECK(code_with([&](auto& r) { r.methods = {{"m", long_text}}; }) == codes::too_large.id);
  CHECK(code_with([&](auto& r) { r.tags = {{"k", long_text}}; }) == codes::too_large.id);
  CHECK(code_with([](auto& r) { r.slot = std::string(registry::kSlotMax, 's'); }).empty());
  CHECK(code_with([](auto& r) { r.slot = std::string(registry::kSlotMax + 1, 's'); }) == codes::too_large.id);
  CHECK(code_with([](auto& r) { r.admin = std::string(registry::kEndpointMax + 1, 'a'); }) == codes::too_large.id);
  CHECK(code_with([](auto& r) { r.circuits.assign(kCircuitNewsMax, {"a.m", id_of(2), "open", 1}); }).empty());
  CHECK(code_with([](auto& r) {
          r.circuits.assign(kCircuitNewsMax + 1, {"a.m", id_of(2), "open", 1});
        }) == codes::too_large.id);
  CHECK(code_with([](auto& r) { r.circuits = {{"no target", id_of(2), "open", 1}}; }) == codes::bad_value.id);
  CHECK(code_with([](auto& r) { r.version = std::string(registry::kWordMax + 1, '1'); }) == codes::too_large.id);
  CHECK(code_with([](auto& r) {
          for (std::size_t i = 0; i <= registry::kTagsMax; ++i) r.tags["t" + std::to_string(i)] = "";
        }) == codes::too_large.id);
}

TEST_CASE("the weight of a record is not less than its bytes on the wire") {
  InstanceRecord record = record_of(1);
  CHECK(registry::weight_of(record) >= to_msgpack(to_value(record)).size());
  record.methods.assign(registry::kMethodsMax, {std::string(kNameMax, 'm'), std::string(100, 's')});
  record.topics.assign(100, "some.topic.*");
  record.circuits.assign(kCircuitNewsMax, {"a.m", id_of(2), "half_open", ~std::uint64_t{0}});
  for (int i = 0; i < 60; ++i) record.tags["tag" + std::to_string(i)] = "value";
  CHECK(registry::weight_of(record) >= to_msgpack(to_value(record)).size());
}

TEST_CASE("of what an agent tells of its circuits only what is well made and not too much goes on") {
  using registry::fit_to_tell;
  CHECK(fit_to_tell({}).empty());
  CHECK(fit_to_tell({{"a.m", id_of(2), "open", 1}}).size() == 1);
  CHECK(fit_to_tell({{"a.m", id_of(2), "ajar", 1}}).size() == 1);  // others may understand it
  CHECK(fit_to_tell({{"a", id_of(2), "open", 1}, {"a.b.c", id_of(2), "open", 1}, {"a.m", {}, "open", 1}}).empty());
  CHECK(fit_to_tell({{"a.m", id_of(2), std::string(kNameMax + 1, 's'), 1}}).empty());
  CHECK(fit_to_tell({{std::string(kNameMax + 1, 'a') + ".m", id_of(2), "open", 1}}).empty());
  CHECK(fit_to_tell(std::vector<CircuitNews>(kCircuitNewsMax + 1, {"a.m", id_of(2), "open", 1})).size() ==
        kCircuitNewsMax);
}

TEST_CASE("a long text is cut at a whole character") {
  CHECK(registry::shortened("short") == "short");
  CHECK(registry::shortened(std::string(registry::kTextMax, 'a')).size() == registry::kTextMax);
  const std::string text = std::string(registry::kTextMax - 1, 'a') + "\xc3\xa4";
  CHECK(registry::shortened(text) == std::string(registry::kTextMax - 1, 'a'));
}
