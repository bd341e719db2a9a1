// FakeRegistry: enough of a registry for processes to find each other in a test.
#pragma once
#include "tests/mesh/fixture.hpp"

namespace weft::test {

using calls::Call, wire::Changes, wire::InstanceRecord, wire::Payload, peer::Peer, peer::PeerOptions, wire::Removal,
    wire::Snapshot;

/// A registry reduced to its protocol: what the real one does with leases and stores is tested in its own suite.
struct FakeRegistry {
  FakeRegistry(MeshFixture& f, std::uint16_t port = 0) : fixture(f), term(f.id()) {
    PeerOptions options = f.peer_options("registry");
    options.call_port = port;
    peer = std::make_unique<Peer>(f.loop, f.context, options, f.metrics, f.log);
    peer->serve({"register", ""}, handler([this](Call& call) -> Result<Payload> {
                  if (away) return Error(codes::store_failed, "not now");
                  auto record = call.payload().as<InstanceRecord>();
                  record->epoch = ++epoch;
                  records[record->instance] = *record;
                  ++registrations;
                  publish({*record}, {});
                  return Payload::of(wire::RegisterReply{record->epoch, 600'000, "alpha"});
                }));
    peer->serve({"renew", ""}, handler([this](Call& call) -> Result<Payload> {
                  auto request = call.payload().as<wire::RenewRequest>();
                  if (away) {
                    ++refused;
                    return Error(codes::store_failed, "not now");
                  }
                  if (fence) return Error(codes::fenced, "a newer one is there");
                  if (!records.contains(request->instance) || records[request->instance].epoch != request->epoch) {
                    ++overtaken;
                    return Error(codes::unknown_instance, "register again");
                  }
                  ++renewals;
                  InstanceRecord& record = records[request->instance];
                  if (record.circuits != request->circuits || record.health != request->health ||
                      record.health_text != request->health_text) {
                    record.circuits = request->circuits;
                    record.health = request->health;
                    record.health_text = request->health_text;
                    publish({record}, {});
                  }
                  return Payload::of(wire::RenewReply{term, sequence});
                }));
    peer->serve({"deregister", ""}, handler([this](Call& call) -> Result<Payload> {
                  auto request = call.payload().as<wire::DeregisterRequest>();
                  remove(*Ulid::parse(request->instance), request->reason);
                  return Payload::of(Value());
                }));
    peer->serve({"snapshot", ""}, handler([this](Call&) -> Result<Payload> {
                  if (away) return Error(codes::store_failed, "not now");
                  Snapshot out{"test", "alpha", term, sequence, peer->record().publish_endpoint, "", {}};
                  for (const auto& [id, record] : records) out.records.push_back(record);
                  return Payload::of(out);
                }));
    bound = fixture.until([&] {
      return bound || (bound = peer->bind().has_value());
    });  // the port is free once ZeroMQ has closed the last one
  }
  void publish(std::vector<InstanceRecord> upserts, std::vector<Removal> removals) {
    ++sequence;
    if (!mute)
      (void)peer->publish(wire::kChangesTopic,
                          Payload::of(Changes{term, sequence, std::move(upserts), std::move(removals)}));
  }
  void remove(const Ulid& id, const std::string& reason) {
    const auto record = records[id];
    records.erase(id);
    publish({}, {{id, record.epoch, record.agent, record.host, reason}});
  }
  std::string endpoint() const { return peer->record().call_endpoint; }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(endpoint().substr(endpoint().rfind(':') + 1)));
  }

  MeshFixture& fixture;
  Ulid term;
  std::uint64_t sequence = 0, epoch = 0;
  int registrations = 0, renewals = 0, overtaken = 0, refused = 0;
  bool fence = false, mute = false, away = false, bound = false;
  std::map<Ulid, InstanceRecord> records;
  std::unique_ptr<Peer> peer;
};

}  // namespace weft::test
