#include "weft/peer/serve.hpp"

#include "tests/mesh/fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Request {
  std::string name = "nobody";
  int times = 1;
  WEFT_FIELDS(Request, name, times)
};
struct Strict {
  std::string name;
  WEFT_FIELDS(Strict, name)
  WEFT_REQUIRED(Strict, name)
};
struct Reply {
  std::string text;
  WEFT_FIELDS(Reply, text)
};

Reply greeting(const Request& request) {
  Reply reply;
  for (int i = 0; i < request.times; ++i) reply.text += "hello " + request.name + ";";
  return reply;
}

struct Fixture : test::MeshFixture {
  Peer server{loop, context, peer_options("echo"), metrics, log};
  Peer client{loop, context, peer_options("client"), metrics, log};
  std::string endpoint;
  int ran = 0;

  Fixture() {
    peer::serve<Request>(server, {"greet", ""}, [this](const Request& request) -> Result<Reply> {
      ++ran;
      if (request.times < 0) return Error(codes::bad_value, "times");
      return greeting(request);
    });
    peer::serve<Request>(server, {"later", ""}, [this](Request request) -> Task<Result<Reply>> {
      co_await sleep_for(loop, 1ms);
      if (request.times < 0) co_return Error(codes::bad_value, "times");
      co_return greeting(request);
    });
    peer::serve<Request>(
        server, {"typed", ""}, [](const Request& request) { return Result<Reply>(greeting(request)); },
        Unknown::refuse);
    peer::serve<Strict>(server, {"strict", ""}, [](const Strict& request) { return Result<Value>(request.name); });
    peer::serve<Value>(server, {"value", ""}, [](const Value& request) { return Result<Value>(request); });
    peer::serve<Value>(server, {"none", ""}, [](const Value&) { return Result<void>(); });
    peer::serve<Value>(server, {"raw", ""}, [](const Value&) { return Result<Payload>(Payload::raw("as it is")); });
    peer::serve<Value>(server, {"call", ""},
                       [](const Value&, Call& call) { return Result<Value>(call.payload().bytes.size()); });
    REQUIRE(server.bind());
    endpoint = server.record().call_endpoint;
  }
  Result<Payload> call(std::string method, Payload payload = {}) {
    return wait(client.call_at(endpoint, "echo." + method, std::move(payload), {}));
  }
  std::string text(std::string method, Payload payload = {}) {
    auto reply = call(std::move(method), std::move(payload));
    return reply ? reply->as<Reply>()->text : reply.error().code;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a served method gets its request decoded, and its reply is encoded") {
  CHECK(text("greet", Payload::json(R"({"name":"Bob","times":2})")) == "hello Bob;hello Bob;");
  CHECK(text("later", Payload::of(Request{"Eve", 1})) == "hello Eve;");
  CHECK(text("greet", Payload::of(Request{"Bob", -1})) == codes::bad_value.id);
  CHECK(text("later", Payload::of(Request{"Bob", -1})) == codes::bad_value.id);
}

TEST_CASE_METHOD(Fixture, "an empty payload is a request of defaults, unless a field is required") {
  CHECK(text("greet") == "hello nobody;");
  CHECK(text("typed") == "hello nobody;");
  const auto refused = call("strict");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::bad_payload));
  CHECK(refused.error().message.find("name") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what cannot be read is answered bad_payload, and the work does not run") {
  for (const auto& bad : {Payload::json("{"), Payload::json("[1]"), Payload::json(R"({"times":"many"})")})
    CHECK(text("greet", bad) == codes::bad_payload.id);
  CHECK(ran == 0);
}

TEST_CASE_METHOD(Fixture, "unknown fields are skipped, and refused where people type requests") {
  const auto newer = Payload::json(R"({"name":"Bob","fresh":1})");
  CHECK(text("greet", newer) == "hello Bob;");
  CHECK(text("typed", newer) == codes::bad_payload.id);
}

TEST_CASE_METHOD(Fixture, "a reply may be a value, nothing, or a payload as it is") {
  CHECK(*call("value", Payload::of(Value("x")))->value() == Value("x"));
  CHECK(call("value")->value()->is_null());
  CHECK(call("none")->value()->is_null());
  CHECK(call("raw")->text() == "as it is");
  CHECK(*call("call", Payload::raw("four"))->value() == Value(4));
}
