#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/run_task.hpp"

using namespace weft;

namespace {

struct Client {
  explicit Client(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  Client(const Client&) = delete;
  ~Client() { ::close(fd); }
  void send(std::string_view text) const {
    while (!text.empty()) {
      const auto n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Up to the end of the stream, or until `enough` is in it.
  std::string receive(std::string_view enough = {}) const {
    std::string all;
    char part[4096];
    while (enough.empty() || all.find(enough) == std::string::npos) {
      const auto n = ::recv(fd, part, sizeof part, 0);
      if (n <= 0) break;
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

struct ServerFixture {
  explicit ServerFixture(io::HttpServer::Limits limits = {}) {
    auto listening = io::HttpServer::listen(loop, "127.0.0.1", 0, limits);
    REQUIRE(listening);
    server = std::move(*listening);
    server->get("/hello", [](const io::HttpRequest& request) {
      io::HttpResponse out;
      const auto name = request.query.find("name");
      out.body = "hello " + (name == request.query.end() ? "you" : name->second) + "\n";
      return out;
    });
    server->get("/bad", [](const io::HttpRequest&) -> io::HttpResponse { throw std::runtime_error("no luck"); });
  }
  /// Runs `client` on a thread of its own, the loop here.
  template <class Work>
  void with(Work client) {
    std::thread other([&] {
      client();
      loop.stop();
    });
    loop.run();
    other.join();
  }
  std::string ask(const std::string& request) {
    std::string answer;
    with([&] {
      Client client(server->port());
      client.send(request);
      answer = client.receive();
    });
    return answer;
  }
  io::IoLoop loop;
  std::unique_ptr<io::HttpServer> server;
};

const std::string kEnd = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE_METHOD(ServerFixture, "a path is served, with its query decoded") {
  const auto answer = ask("GET /hello?name=a%20b+c&x" + kEnd);
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("\r\n\r\nhello a b c\n"));
}

TEST_CASE_METHOD(ServerFixture, "HEAD gets the header of GET and no body") {
  const auto answer = ask("HEAD /hello" + kEnd);
  CHECK(answer.find("Content-Length: 10\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE_METHOD(ServerFixture, "another path gets 404 and the paths there are") {
  const auto answer = ask("GET /helo" + kEnd);
  CHECK(answer.starts_with("HTTP/1.1 404"));
  CHECK(answer.ends_with("/bad\n/hello\n"));
}

TEST_CASE_METHOD(ServerFixture, "another method gets 405 and the methods there are") {
  const auto answer = ask("DELETE /hello" + kEnd);
  CHECK(answer.starts_with("HTTP/1.1 405"));
  CHECK(answer.find("Allow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE_METHOD(ServerFixture, "a handler that throws answers 500, and the server lives on") {
  CHECK(ask("GET /bad" + kEnd).starts_with("HTTP/1.1 500"));
  CHECK(ask("GET /hello" + kEnd).starts_with("HTTP/1.1 200"));
}

TEST_CASE_METHOD(ServerFixture, "what is no HTTP gets 400") {
  CHECK(ask("\x01\x02 nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(ask("GET hello%zz" + kEnd).starts_with("HTTP/1.1 400"));
  CHECK(ask("GET /hello%2" + kEnd).starts_with("HTTP/1.1 400"));
}

TEST_CASE_METHOD(ServerFixture,
                 "a header or a body over its limit gets 431 or 413, even while the client still sends") {
  CHECK(ask("GET /hello HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
  CHECK(ask("POST /hello HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x'))
            .starts_with("HTTP/1.1 413"));
}

TEST_CASE_METHOD(ServerFixture, "one connection serves many requests, pipelined ones too") {
  with([&] {
    Client client(server->port());
    for (int i = 0; i < 3; ++i) {
      client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(client.receive("you\n").starts_with("HTTP/1.1 200"));
    }
    client.send("GET /hello?name=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello?name=2" + kEnd);
    const auto both = client.receive();
    CHECK(both.find("hello 1\n") < both.find("hello 2\n"));
    CHECK(both.ends_with("hello 2\n"));
  });
}

TEST_CASE("a connection over the limit gets 503, and those within it go on") {
  ServerFixture fixture({.connections = 1});
  fixture.with([&] {
    const std::string ask = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    Client first(fixture.server->port());
    first.send(ask);
    CHECK(first.receive("you\n").starts_with("HTTP/1.1 200"));
    Client second(fixture.server->port());
    second.send(ask);
    const auto refusal = second.receive();
    CHECK(refusal.starts_with("HTTP/1.1 503"));
    CHECK(refusal.find("Retry-After: 1\r\n") != std::string::npos);
    first.send(ask);
    CHECK(first.receive("you\n").starts_with("HTTP/1.1 200"));
  });
}

TEST_CASE("a connection that stays idle is closed") {
  ServerFixture fixture({.idle = 20ms});
  fixture.with([&] {
    Client client(fixture.server->port());
    client.send("GET /hello HTTP/1.1\r\n");  // and no more
    CHECK(client.receive().empty());
  });
}

TEST_CASE("a server that goes closes its connections") {
  ServerFixture fixture;
  fixture.with([&] {
    Client client(fixture.server->port());
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    client.receive("you\n");
    fixture.loop.post([&] { fixture.server.reset(); });
    CHECK(client.receive().empty());
  });
}

TEST_CASE_METHOD(ServerFixture, "a port that is taken, and an address that is not ours, are errors that say so") {
  const auto taken = io::HttpServer::listen(loop, "127.0.0.1", server->port(), {});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().is(codes::port_taken));
  CHECK(taken.error().message.find("127.0.0.1:" + std::to_string(server->port())) != std::string::npos);
  for (const auto* address : {"192.0.2.1", "not an address"})
    CHECK(io::HttpServer::listen(loop, address, 0, {}).error().is(codes::bad_address));
}
