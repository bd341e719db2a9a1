#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/net/raw_connection.hpp"
#include "weft/net/net.hpp"

using namespace weft;
using namespace weft::net;
using namespace std::string_literals;

namespace {

struct Fixture {
  Fixture() { REQUIRE(endpoint); }
  static Bytes request(std::uint64_t id) {
    wire::Header header;
    header.kind = wire::Kind::request;
    header.id = id;
    return wire::encode(header, "registry.deregister", {});
  }
  static std::string frame_v1(const Bytes& body) {
    return std::string(1, static_cast<char>(body.size() + 1)) + '\0' +
           std::string(reinterpret_cast<const char*>(body.data()), body.size());
  }

  test::ManualLoop loop;
  Context context;
  Traffic traffic, at_client;
  std::vector<std::uint64_t> received;
  Server server{loop, context, Limits(), traffic, [this](const Connection&, const wire::EnvelopeView& envelope) {
                  received.push_back(envelope.header.id);
                }};
  const Result<std::string> endpoint = server.bind("tcp://127.0.0.1:*");
};

}  // namespace

TEST_CASE_METHOD(Fixture, "what a web page posts to the port of a process is not read as messages") {
  std::string empty_frames;
  for (int i = 0; i < 8000; ++i) empty_frames += "\1\0"s;
  const std::string body = empty_frames + frame_v1(request(1)) + empty_frames;
  for (std::size_t padding = 0; padding < 40; ++padding) {  // where parsing lands in the body depends on the header
    test::RawConnection page(*endpoint);
    page.send("POST /" + std::string(padding, 'a') + " HTTP/1.1\r\nHost: 127.0.0.1:7411\r\nConnection: keep-alive\r\n" +
              "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n" +
              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0\r\n" +
              "Accept: */*\r\nOrigin: null\r\nSec-Fetch-Mode: no-cors\r\n\r\n" + body);
    CHECK(page.closed_within(5s));
  }
  loop.turn();
  CHECK(received.empty());
  CHECK(traffic.dropped_malformed == 0);
}

TEST_CASE_METHOD(Fixture, "a peer that greets as ZMTP 1.0 or 2.0 is cut off, and one of ZMTP 3 is served") {
  test::RawConnection first(*endpoint), second(*endpoint);
  first.send("\1\0"s + frame_v1(request(1)));
  const auto body = request(2);
  second.send("\xff\0\0\0\0\0\0\0\1\x7f\1\5\0\0"s + '\0' + static_cast<char>(body.size()) +
              std::string(reinterpret_cast<const char*>(body.data()), body.size()));
  CHECK(first.closed_within(5s));
  CHECK(second.closed_within(5s));
  Link link(loop, context, *endpoint, Limits(), at_client, [](const wire::EnvelopeView&) {});
  wire::Header header;
  header.kind = wire::Kind::request;
  header.id = 3;
  REQUIRE(link.send(header, "registry.ping", {}));
  REQUIRE(loop.run_until([&] { return !received.empty(); }));
  CHECK(received == std::vector<std::uint64_t>{3});
}
