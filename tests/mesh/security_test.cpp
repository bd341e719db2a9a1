#include "tests/mesh/fixture.hpp"

using namespace weft;
using namespace weft::mesh;
using net::KeyPair;
using net::SecurityOptions;
using test::handler;

namespace {

/// A process: its own ZeroMQ context, keys or none.
struct Process {
  Process(test::MeshFixture& fixture, const std::string& agent) : options(fixture.peer_options(agent)), f(fixture) {}

  void secure(SecurityOptions security) {
    security.secret_key = keys.secret_key;
    REQUIRE(context.secure(f.loop, std::move(security)));
  }
  Peer& open() {
    peer = std::make_unique<Peer>(f.loop, context, options, metrics, log);
    peer->serve({"echo", ""}, handler([](Call& call) { return Result<Payload>(call.payload()); }));
    REQUIRE(peer->bind());
    return *peer;
  }
  std::string endpoint() const { return peer->record().call_endpoint; }
  bool wrote(const std::string& text) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const auto& line) { return line.find(text) != std::string::npos; });
  }
  std::string scrape() { return metrics.render(observe::Metrics::Format::text); }

  const KeyPair keys = KeyPair::generate();
  net::Context context;
  observe::Metrics metrics;
  std::vector<std::string> lines;
  PeerOptions options;
  test::MeshFixture& f;
  observe::Log log{observe::LogOptions{}, f.loop.clock(), [this](std::string_view line) { lines.emplace_back(line); }};
  std::unique_ptr<Peer> peer;
};

struct Fixture : test::MeshFixture {
  Process server{*this, "server"}, client{*this, "client"};

  void open(bool client_is_known = true) {
    SecurityOptions at_server;
    at_server.known_keys["server"] = server.keys.public_key;
    if (client_is_known) at_server.known_keys["client"] = client.keys.public_key;
    server.secure(at_server);
    server.open();
    SecurityOptions at_client;
    at_client.known_keys["server"] = server.keys.public_key;
    at_client.servers[server.endpoint()] = server.keys.public_key;
    client.secure(at_client);
    client.open();
    client.peer->same_process(server.peer->record().publish_endpoint, server.endpoint());
  }
  Result<Payload> call(Process& from, const std::string& to, Duration timeout = 8s) {
    CallOptions options;
    options.timeout = timeout;
    return wait(from.peer->call_at(to, "server.echo", Payload::raw("hello"), options));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "two processes with known keys call each other, and their records tell their keys") {
  open();
  CHECK(call(client, server.endpoint())->text() == "hello");
  CHECK(server.peer->record().public_key == server.keys.public_key);
  CHECK(client.peer->record().public_key == client.keys.public_key);
  CHECK(server.context.security()->refused().unknown_key == 0);
}

TEST_CASE_METHOD(Fixture, "publications go over encrypted connections too") {
  open();
  std::vector<std::string> got;
  auto subscription = client.peer->subscribe(*TopicPattern::parse("t.#"),
                                             [&](const Event& event) { got.emplace_back(event.payload.text()); });
  client.peer->connect_publisher(server.peer->record().publish_endpoint);
  REQUIRE(until([&] { return server.peer->wanted("t.one"); }));
  REQUIRE(server.peer->publish("t.one", Payload::raw("secret")));
  REQUIRE(until([&] { return !got.empty(); }));
  CHECK(got.front() == "secret");
}

TEST_CASE_METHOD(Fixture,
                 "a process whose key is not known is refused at once, told once and counted, while others go on") {
  open(false);
  const auto begin = loop.now();
  const auto refused = call(client, server.endpoint()).error();
  CHECK(refused.is(codes::unknown_key));
  CHECK(refused.message.find("does not know the key of this one") != std::string::npos);
  CHECK(loop.now() - begin < 5s);
  REQUIRE(until([&] { return server.context.security()->refused().unknown_key >= 3; }));  // it tries again
  CHECK(server.wrote(client.keys.public_key));
  CHECK(std::count_if(server.lines.begin(), server.lines.end(),
                      [](const auto& line) { return line.find("unknown_key") != std::string::npos; }) == 1);
  CHECK(server.scrape().find("weft_connections_refused_total{reason=\"unknown_key\"}") != std::string::npos);

  Process friendly(*this, "server");  // with the server's own key
  REQUIRE(friendly.context.secure(
      loop,
      {server.keys.secret_key, {{"server", server.keys.public_key}}, {{server.endpoint(), server.keys.public_key}}}));
  friendly.open();
  CHECK(call(friendly, server.endpoint()));
}

TEST_CASE_METHOD(Fixture, "a subscriber whose key is not known gets nothing") {
  open(false);
  bool got = false;
  auto subscription = client.peer->subscribe(*TopicPattern::parse("t"), [&](const Event&) { got = true; });
  client.peer->connect_publisher(server.peer->record().publish_endpoint);
  REQUIRE(until([&] { return server.context.security()->refused().unknown_key > 0; }));
  CHECK_FALSE(server.peer->wanted("t"));
  CHECK_FALSE(got);
}

TEST_CASE_METHOD(Fixture, "a process without keys is refused by one that has some, and both say why") {
  open();
  Process plain(*this, "plain");
  plain.open();
  const auto refused = call(plain, server.endpoint()).error();
  CHECK(refused.is(codes::unknown_key));
  CHECK(refused.message.find("encrypts, and this one does not") != std::string::npos);
  REQUIRE(until([&] { return server.context.security()->refused().not_encrypted > 0; }));
  CHECK(server.wrote("not_encrypted"));
}

TEST_CASE_METHOD(Fixture, "a process with keys does not talk to one without") {
  server.open();
  client.secure({"", {{"server", server.keys.public_key}}, {{server.endpoint(), server.keys.public_key}}});
  client.open();
  const auto refused = call(client, server.endpoint()).error();
  CHECK(refused.is(codes::unknown_key));
  CHECK(refused.message.find("does not encrypt") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a server with another key than expected is not believed") {
  open();
  Process third(*this, "third");
  const KeyPair other = KeyPair::generate();
  third.secure({"", {{"other", other.public_key}}, {{server.endpoint(), other.public_key}}});
  third.open();
  const auto refused = call(third, server.endpoint()).error();
  CHECK(refused.is(codes::unknown_key));
  CHECK(refused.message.find("has another key") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "where no key is known nobody connects, until a record tells it") {
  open();
  auto& security = *client.context.security();
  Process third(*this, "server");
  third.secure({"", {{"client", client.keys.public_key}}, {}});
  third.open();
  CHECK(call(client, third.endpoint()).error().is(codes::unknown_key));
  security.learn(third.endpoint(), third.keys.public_key);
  const auto stranger = call(client, third.endpoint()).error();
  CHECK(stranger.message.find("which is not known here") != std::string::npos);
  security.learn(third.endpoint(), "");
  CHECK(call(client, third.endpoint()).error().message.find("does not encrypt") != std::string::npos);
}

TEST_CASE("keys are checked, and a secret one is never shown") {
  test::ManualLoop loop;
  const KeyPair pair = KeyPair::generate();
  CHECK(pair.public_key.size() == 40);
  CHECK(KeyPair::from_secret(pair.secret_key)->public_key == pair.public_key);
  const std::string wrong = pair.secret_key.substr(1);
  const auto refused = KeyPair::from_secret(wrong).error();
  CHECK(refused.is(codes::bad_config));
  CHECK(refused.describe().find(wrong) == std::string::npos);
  net::Context context;
  CHECK(context.secure(loop, {"", {}, {}}).error().is(codes::bad_config));
  CHECK(context.secure(loop, {pair.secret_key, {{"sysmon", "short"}}, {}}).error().message.find("'sysmon'") !=
        std::string::npos);
  CHECK_FALSE(context.secure(loop, {pair.secret_key, {}, {{"tcp://127.0.0.1:7411", std::string(40, '"')}}}));
  CHECK(context.security() == nullptr);
  CHECK(context.secure(loop, {pair.secret_key, {}, {}}));
}
