// What the registry knows of an instance, and the messages between an agent and a registry, and between registries.
// Values. docs/protocol.md has the grammar.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::wire {

struct MethodInfo {
  std::string name;           ///< without the agent
  std::string summary;        ///< one line; may be empty
  std::string kind = "call";  ///< "call", "stream" (chunks in, out or both) or "queue" (work items by demand)
  WEFT_FIELDS(MethodInfo, name, summary, kind)
  friend bool operator==(const MethodInfo&, const MethodInfo&) = default;
};

enum class HealthState : std::uint8_t { passing, warning, critical };
std::string_view to_string(HealthState state) noexcept;
Result<HealthState> from_text(std::string_view name, std::type_identity<HealthState>);

/// What a caller found out about one circuit of its calls; other callers mind it for at most the open period of their
/// own policy. docs/calls.md tells how far.
struct CircuitNews {
  std::string target;        ///< "agent.method"
  Ulid instance;             ///< the one called
  std::string state;         ///< "open", "half_open" (it is being probed), "closed"; others are skipped
  std::uint64_t number = 0;  ///< grows with each that a process tells
  WEFT_FIELDS(CircuitNews, target, instance, state, number)
  friend bool operator==(const CircuitNews&, const CircuitNews&) = default;
};
inline constexpr std::size_t kCircuitNewsMax = 32;  ///< of one instance; it tells the latest

struct InstanceRecord {
  // who
  std::string mesh, host, agent, version;
  std::string slot;         ///< "sysmon@alpha": the place an instance fills; a later claim to a slot fences the earlier
  Ulid instance;            ///< new at each start of the process
  std::uint64_t claim = 0;  ///< order of claims to `slot`: grows with each start that the host's node makes; 0: started
                            ///< without a node. Rests on a counter of the node, not on wall time
  std::uint64_t epoch = 0;  ///< given by the registry; grows at each registration in the mesh of that registry
  // where
  std::string call_endpoint;     ///< "tcp://10.0.0.1:40001"; empty: serves nothing
  std::string call_local;        ///< "ipc:///run/…": for peers on the same host; may be empty
  std::string publish_endpoint;  ///< empty: publishes nothing
  std::string publish_local;
  std::string admin;  ///< "127.0.0.1:40003": the admin HTTP door; may be empty
  int pid = 0;
  // what
  std::vector<MethodInfo> methods;
  std::vector<std::string> topics;  ///< topics or patterns it publishes
  std::map<std::string, std::string> tags;
  std::string config_hash;
  std::string public_key;                            ///< CURVE, Z85; empty: no encryption
  std::uint32_t protocol_min = 1, protocol_max = 1;  ///< versions of the envelope that it understands
  std::int64_t started_us = 0;                       ///< wall time
  // how healthy
  HealthState health = HealthState::passing;
  std::string health_text;
  std::vector<CircuitNews> circuits{};  ///< of the calls that it makes; lately changed ones only
  // the registry's own notes
  std::string registry;   ///< host name of the registry that wrote it
  bool confirmed = true;  ///< false: from the store or from a peer that is away; not renewed since
  WEFT_FIELDS(InstanceRecord, mesh, host, agent, version, slot, instance, claim, epoch, call_endpoint, call_local,
              publish_endpoint, publish_local, admin, pid, methods, topics, tags, config_hash, public_key, protocol_min,
              protocol_max, started_us, health, health_text, circuits, registry, confirmed)
  friend bool operator==(const InstanceRecord&, const InstanceRecord&) = default;
};

// ---- methods of agent "registry"; every payload is MessagePack

/// `registry.register`: InstanceRecord -> RegisterReply. Errors: `bad_name`, `wrong_mesh`, `table_full`, `fenced` (a
/// newer instance fills the slot).
struct RegisterReply {
  std::uint64_t epoch = 0;
  std::int64_t lease_us = 0;  ///< ends unless renewed; renew every third of it
  std::string registry;       ///< host name
  WEFT_FIELDS(RegisterReply, epoch, lease_us, registry)
};

/// `registry.renew`: -> RenewReply. Errors: `unknown_instance` (register again), `fenced`.
struct RenewRequest {
  Ulid instance;
  std::uint64_t epoch = 0;
  HealthState health = HealthState::passing;
  std::string health_text;
  std::vector<CircuitNews> circuits{};  ///< all that its record has from now on
  WEFT_FIELDS(RenewRequest, instance, epoch, health, health_text, circuits)
};
struct RenewReply {
  Ulid term;                   ///< new at each start of the registry; another term: take a snapshot
  std::uint64_t sequence = 0;  ///< of the last change published; ahead of yours: take a snapshot
  WEFT_FIELDS(RenewReply, term, sequence)
};

/// `registry.deregister`: by instance, or by slot (the instance that fills it). -> null. Unknown ones are fine. A
/// registry that does not have the record asks the one that has it.
struct DeregisterRequest {
  std::string instance;    ///< id, or empty
  std::string slot;        ///< or empty
  std::string reason;      ///< "stopped", "exited with 1", "killed by signal 9"
  bool forwarded = false;  ///< by a registry: it is not passed on again
  WEFT_FIELDS(DeregisterRequest, instance, slot, reason, forwarded)
};

/// `registry.snapshot`: null -> Snapshot of the whole mesh. `registry.replica`: null -> Snapshot of what this registry
/// writes.
struct Snapshot {
  std::string mesh, registry;  ///< mesh name, host name of the registry
  Ulid term;
  std::uint64_t sequence = 0;
  std::string publish_endpoint;  ///< where `registry.changes` and `registry.own` are published
  std::string publish_local;
  std::vector<InstanceRecord> records;
  WEFT_FIELDS(Snapshot, mesh, registry, term, sequence, publish_endpoint, publish_local, records)
};

/// Published on `registry.changes` (whole mesh) and `registry.own` (what this registry writes), each with its own
/// sequence, without gaps. A gap or another term: take a snapshot.
struct Removal {
  Ulid instance;
  std::uint64_t epoch = 0;  ///< removes this epoch and older ones only
  std::string agent, host;
  std::string reason;
  WEFT_FIELDS(Removal, instance, epoch, agent, host, reason)
};
struct Changes {
  Ulid term;
  std::uint64_t sequence = 0;
  std::vector<InstanceRecord> upserts;
  std::vector<Removal> removals;
  WEFT_FIELDS(Changes, term, sequence, upserts, removals)
};

inline constexpr std::string_view kChangesTopic = "registry.changes";
inline constexpr std::string_view kOwnTopic = "registry.own";

}  // namespace weft::wire
