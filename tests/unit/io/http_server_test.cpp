#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/run_task.hpp"

using namespace weft;

namespace {

struct Client {
  explicit Client(std::uint16_t port, const char* from = "127.0.0.1") {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, from, &own.sin_addr) == 1);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
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

TEST_CASE("a client that asks is served, however many connections others hold half open") {
  ServerFixture fixture({.connections = 8});
  fixture.with([&] {
    std::vector<std::unique_ptr<Client>> half_open;
    for (int i = 0; i < 30; ++i) {
      half_open.push_back(std::make_unique<Client>(fixture.server->port()));
      half_open.back()->send("GET /hello HTTP/1.1\r\nHo");
    }
    Client asks(fixture.server->port());
    asks.send("GET /hello" + kEnd);
    CHECK(asks.receive().starts_with("HTTP/1.1 200"));
    CHECK(half_open.front()->receive().empty());  // closed: it was the oldest
  });
}

TEST_CASE("the address that holds most connections loses one to a new one, not the others") {
  ServerFixture fixture({.connections = 4});
  fixture.with([&] {
    const std::string ask = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    Client scrapes(fixture.server->port(), "127.0.0.2");  // the oldest of all
    scrapes.send(ask);
    CHECK(scrapes.receive("you\n").starts_with("HTTP/1.1 200"));
    std::vector<std::unique_ptr<Client>> greedy;
    for (int i = 0; i < 20; ++i) greedy.push_back(std::make_unique<Client>(fixture.server->port()));
    CHECK(greedy[10]->receive().empty());
    scrapes.send(ask);
    CHECK(scrapes.receive("you\n").starts_with("HTTP/1.1 200"));
  });
}

TEST_CASE("a request that does not come whole in its time is given up, while a connection may be idle for longer") {
  ServerFixture fixture({.idle = 60s, .request = 50ms});
  fixture.with([&] {
    Client slow(fixture.server->port());
    slow.send("GET /hello HTTP/1.1\r\n");
    CHECK(slow.receive().empty());
    Client again(fixture.server->port());
    again.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(again.receive("you\n").starts_with("HTTP/1.1 200"));
    again.send("GET /hello HTTP/1.1\r\n");
    CHECK(again.receive().empty());
  });
}

TEST_CASE_METHOD(ServerFixture, "a request by a name of public DNS gets 421") {
  CHECK(ask("GET /hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 421"));
  CHECK(ask("GET /hello HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(ask("GET /hello HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
}

TEST_CASE("a connection that stays idle is closed") {
  ServerFixture fixture({.idle = 20ms});
  fixture.with([&] {
    Client client(fixture.server->port());
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    client.receive("you\n");
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
