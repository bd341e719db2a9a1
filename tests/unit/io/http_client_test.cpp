#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/run_task.hpp"

using namespace weft;
using test::run_task;

namespace {
struct ClientFixture {
  ClientFixture() {
    server->get("/big", [](const io::HttpRequest&) {
      io::HttpResponse out;
      out.body = std::string(1000, 'x');
      return out;
    });
    server->get("/echo", [](const io::HttpRequest& request) {
      io::HttpResponse out;
      out.status = 503;
      out.content_type = "text/x-echo";
      out.body = request.method + " " + request.query.at("q") + " " + request.headers.at("host");
      return out;
    });
  }
  std::string url(const std::string& rest) const { return "http://127.0.0.1:" + std::to_string(server->port()) + rest; }
  io::IoLoop loop;
  std::unique_ptr<io::HttpServer> server = std::move(*io::HttpServer::listen(loop, "127.0.0.1", 0, {}));
};
}  // namespace

TEST_CASE_METHOD(ClientFixture, "a request brings status, type and body") {
  const auto answer = run_task(loop, io::http_get(loop, url("/echo?q=a%20b")));
  REQUIRE(answer);
  CHECK(answer->status == 503);
  CHECK(answer->content_type == "text/x-echo");
  CHECK(answer->body == "GET a b 127.0.0.1:" + std::to_string(server->port()));
}

TEST_CASE_METHOD(ClientFixture, "an answer may be as large as allowed, and no larger") {
  CHECK(run_task(loop, io::http_get(loop, url("/big"), {.body_max = 1000}))->body.size() == 1000);
  const auto answer = run_task(loop, io::http_get(loop, url("/big"), {.body_max = 999}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::too_large));
}

TEST_CASE_METHOD(ClientFixture, "a name is resolved") {
  const auto by_name = "http://localhost:" + std::to_string(server->port()) + "/big";
  CHECK(run_task(loop, io::http_get(loop, by_name))->status == 200);
}

TEST_CASE("what is posted arrives with its type, its length and further headers") {
  io::IoLoop loop;
  test::HttpSink sink;
  sink.answer("HTTP/1.1 429 Slow down\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno");
  io::HttpPost post(sink.url("/v1/traces?x=1"));
  post.body = std::string(300'000, 'b');
  post.headers = {{"X-Key", "secret"}};
  const auto answer = run_task(loop, io::http_post(loop, post));
  REQUIRE(answer);
  CHECK(answer->status == 429);
  CHECK(answer->headers.at("retry-after") == "3");
  CHECK(answer->body == "no");
  const auto sent = sink.requests().at(0);
  CHECK(sent.starts_with("POST /v1/traces?x=1 HTTP/1.1\r\n"));
  for (const auto* line :
       {"\r\nContent-Type: application/json\r\n", "\r\nContent-Length: 300000\r\n", "\r\nX-Key: secret\r\n"})
    CHECK(sent.find(line) != std::string::npos);
  CHECK(sent.ends_with("\r\n\r\n" + post.body));
}

TEST_CASE("an empty body is posted as one, and a peer that hangs up is gone") {
  io::IoLoop loop;
  test::HttpSink sink;
  CHECK(run_task(loop, io::http_post(loop, io::HttpPost(sink.url("/"))))->status == 200);
  CHECK(sink.requests().at(0).find("\r\nContent-Length: 0\r\n") != std::string::npos);
  sink.answer("");
  CHECK(run_task(loop, io::http_post(loop, io::HttpPost(sink.url("/")))).error().is(codes::peer_gone));
  CHECK(run_task(loop, io::http_post(loop, io::HttpPost("https://x/"))).error().is(codes::bad_address));
}

TEST_CASE_METHOD(ClientFixture, "a port where nobody listens is a peer that is gone") {
  const auto nobody = url("/");
  const auto port = server->port();
  server.reset();
  CHECK(run_task(loop, io::http_get(loop, nobody)).error().is(codes::peer_gone));
  CHECK(run_task(loop, io::tcp_probe(loop, "127.0.0.1", port, 1s)).error().is(codes::peer_gone));
}

TEST_CASE_METHOD(ClientFixture, "a port where somebody listens can be probed") {
  CHECK(run_task(loop, io::tcp_probe(loop, "127.0.0.1", server->port(), 1s)));
}

TEST_CASE("a peer that accepts and says nothing is a deadline exceeded") {
  io::IoLoop loop;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof own;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&own), length) == 0);
  REQUIRE(::listen(fd, 1) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0);
  const auto url = "http://127.0.0.1:" + std::to_string(ntohs(own.sin_port));
  const auto answer = run_task(loop, io::http_get(loop, url, {.timeout = 10ms}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::deadline_exceeded));
  CHECK(answer.error().message.find("10ms") != std::string::npos);
  ::close(fd);
}

TEST_CASE_METHOD(ClientFixture, "a request can be given up") {
  TaskScope scope;
  const auto ask = [](io::IoLoop& on, std::string what) -> Task<void> {
    (void)co_await io::http_get(on, what);
    FAIL("nobody waits for this");
  };
  scope.spawn(ask(loop, url("/big")));
  scope.cancel_all();
  CHECK(run_task(loop, io::http_get(loop, url("/big"))));
}

TEST_CASE("URLs that are none are refused with the reason") {
  io::IoLoop loop;
  for (const auto* url : {"", "https://x/", "http://", "http://:80/", "http://x:0/", "http://x:65536/", "http://x:y/",
                          "http://a b/", "http://u@x/", "http://[::1/", "http://x/\r\nEvil: 1"}) {
    CAPTURE(url);
    CHECK(run_task(loop, io::http_get(loop, url)).error().is(codes::bad_address));
  }
}
