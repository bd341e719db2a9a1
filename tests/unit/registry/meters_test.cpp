// The registry's metrics.
#include "registry/meters.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;

namespace {

struct Fixture {
  observe::Metrics metrics;
  registry::Meters meters{metrics};

  void present(const InstanceRecord& record) { meters.follow({id_of(1), 1, {record}, {}}); }
  void gone(const InstanceRecord& record) { meters.follow({id_of(1), 1, {}, {registry::removal_of(record, "gone")}}); }
  bool shows(const std::string& line) {
    return metrics.render(observe::Metrics::Format::text).find(line + "\n") != std::string::npos;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an agent is up while one of its instances is there, and 0 when the last one is gone") {
  const auto first = record_of(1), second = record_of(2);
  present(first);
  present(second);
  present(second);
  CHECK(shows(R"(weft_agent_up{agent="echo",host="alpha"} 1)"));
  gone(first);
  CHECK(shows(R"(weft_agent_up{agent="echo",host="alpha"} 1)"));
  gone(second);
  gone(second);
  CHECK(shows(R"(weft_agent_up{agent="echo",host="alpha"} 0)"));
  present(first);
  CHECK(shows(R"(weft_agent_up{agent="echo",host="alpha"} 1)"));
}

TEST_CASE_METHOD(Fixture, "a version is told while an instance runs it") {
  const auto old = record_of(1);
  auto fresh = record_of(2);
  fresh.version = "2.0.0";
  present(old);
  present(fresh);
  gone(old);
  CHECK_FALSE(shows(R"(weft_agent_info{agent="echo",host="alpha",version="1.0.0"} 1)"));
  CHECK_FALSE(shows(R"(weft_agent_info{agent="echo",host="alpha",version="1.0.0"} 0)"));  // the value of an info is 1
  CHECK(shows(R"(weft_agent_info{agent="echo",host="alpha",version="2.0.0"} 1)"));
  present(old);
  CHECK(shows(R"(weft_agent_info{agent="echo",host="alpha",version="1.0.0"} 1)"));
}

TEST_CASE_METHOD(Fixture, "outcomes are counted from zero on") {
  CHECK(shows(R"(weft_registry_registrations_total{outcome="fenced"} 0)"));
  const Error fenced(codes::fenced, ""), bad(codes::bad_name, ""), unknown(codes::unknown_instance, "");
  meters.registration(nullptr);
  meters.registration(&fenced);
  meters.registration(&bad);
  meters.renewal(&unknown);
  CHECK(shows(R"(weft_registry_registrations_total{outcome="done"} 1)"));
  CHECK(shows(R"(weft_registry_registrations_total{outcome="fenced"} 1)"));
  CHECK(shows(R"(weft_registry_registrations_total{outcome="invalid"} 1)"));
  CHECK(shows(R"(weft_registry_renewals_total{outcome="unknown"} 1)"));
}

TEST_CASE_METHOD(Fixture, "instances are counted by state") {
  ManualClock clock;
  registry::Book book(clock, table_options(), id_of(1)), beta(clock, table_options("beta"), id_of(2));
  auto stored = record_of(1);
  stored.registry = "alpha";
  book.restore(stored);
  REQUIRE(book.enter(record_of(2, "digest")));
  REQUIRE(beta.enter(record_of(3, "echo", "beta")));
  REQUIRE(book.replace(beta.own_snapshot()));
  (void)book.flush();
  meters.measure(book);
  for (const auto* state : {"confirmed", "unconfirmed", "replicated"})
    CHECK(shows("weft_registry_instances{state=\"" + std::string(state) + "\"} 1"));
}
