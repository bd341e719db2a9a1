#include "tests/support/catch.hpp"
#include "tests/support/run_task.hpp"
#include "weft/observe/observe.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
struct AdminFixture {
  io::HttpResponse get(const std::string& path) {
    auto answer = test::run_task(loop, io::http_get(loop, "http://127.0.0.1:" + std::to_string(admin->port()) + path));
    REQUIRE(answer);
    return std::move(*answer);
  }
  io::IoLoop loop;
  Metrics metrics;
  Health health;
  std::unique_ptr<Admin> admin = std::move(*Admin::open(loop, "127.0.0.1", 0, metrics, health, [] {
    return Value(Value::Map{{"agent", "digest"}, {"version", "0.1.0"}, {"pid", 1}});
  }));
};
}  // namespace

TEST_CASE_METHOD(AdminFixture, "a process is live as soon as it answers, whatever its checks say") {
  health.set("registry", false, "away");
  CHECK(get("/livez").status == 200);
}

TEST_CASE_METHOD(AdminFixture, "a process is ready when it has started and every check passes") {
  CHECK(get("/startupz").status == 503);
  CHECK(get("/readyz").status == 503);
  CHECK((*from_json(get("/readyz").body))["checks"]["started"].as_list()[0]["status"] == Value("fail"));
  health.set_started();
  CHECK(get("/startupz").status == 200);
  CHECK(get("/readyz").status == 200);
  health.set("registry", false, "tcp://127.0.0.1:7411 does not answer");
  CHECK(get("/startupz").status == 200);
  const auto answer = get("/readyz");
  CHECK(answer.status == 503);
  CHECK(answer.content_type == "application/health+json");
  CHECK(
      *from_json(answer.body) ==
      *from_json(
          R"({"status":"fail","checks":{"registry":[{"status":"fail","output":"tcp://127.0.0.1:7411 does not answer"}]}})"));
  CHECK(get("/healthz").status == 503);
  CHECK(get("/readyz?exclude=registry").status == 200);
  health.set("registry", true);
  CHECK(*from_json(get("/readyz").body) == *from_json(R"({"status":"pass"})"));
  CHECK((*from_json(get("/readyz?verbose").body))["checks"]["registry"].as_list()[0]["status"] == Value("pass"));
}

TEST_CASE_METHOD(AdminFixture, "metrics come as plain text to who does not ask for more") {
  metrics.counter("weft_a_total", "A.").add();
  const auto answer = get("/metrics");
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body.find("weft_a_total 1\n") != std::string::npos);
}

TEST_CASE_METHOD(AdminFixture, "facts are told as JSON") {
  CHECK((*from_json(get("/info").body))["pid"] == Value(1));
  CHECK(*from_json(get("/version").body) == *from_json(R"({"agent":"digest","version":"0.1.0"})"));
}

TEST_CASE_METHOD(AdminFixture, "a room can add paths of its own") {
  admin->get("/v1/x", [](const auto&) {
    io::HttpResponse out;
    out.body = "x";
    return out;
  });
  CHECK(get("/v1/x").body == "x");
  CHECK(get("/v1/y").status == 404);
}

TEST_CASE_METHOD(AdminFixture, "a port that is taken is an error that names it") {
  const auto second = Admin::open(loop, "127.0.0.1", admin->port(), metrics, health, [] { return Value(); });
  REQUIRE_FALSE(second);
  CHECK(second.error().is(codes::port_taken));
}
