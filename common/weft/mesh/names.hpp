// The public names of the rooms below under weft::mesh: what mesh itself uses, and what code that was written while all
// of them were in mesh still finds there.
#pragma once
#include "weft/calls/call.hpp"
#include "weft/calls/interceptor.hpp"
#include "weft/calls/stream.hpp"
#include "weft/events/event.hpp"
#include "weft/events/subscription.hpp"
#include "weft/peer/options.hpp"
#include "weft/peer/peer.hpp"
#include "weft/wire/ledger_reply.hpp"
#include "weft/wire/payload.hpp"
#include "weft/wire/record.hpp"

namespace weft::mesh {

using calls::Call;
using calls::CallOptions;
using calls::CancelHook;
using calls::Handler;
using calls::Incoming;
using calls::Interceptor;
using calls::Interceptors;
using calls::Outgoing;
using calls::Stream;
using calls::StreamHandler;
using calls::StreamOptions;
using events::Drop;
using events::Event;
using events::EventHandler;
using events::PublishOptions;
using events::Retention;
using events::SubscribeOptions;
using events::Subscription;
using peer::Limits;
using peer::Peer;
using peer::PeerOptions;
using peer::secured;
using policy::Policies;
using wire::Changes;
using wire::CircuitNews;
using wire::DeregisterRequest;
using wire::Headers;
using wire::HealthState;
using wire::HeardTopic;
using wire::InstanceRecord;
using wire::kChangesTopic;
using wire::kCircuitNewsMax;
using wire::kOwnTopic;
using wire::LedgerReply;
using wire::LedgerRequest;
using wire::MethodInfo;
using wire::Payload;
using wire::PublishedTopic;
using wire::RegisterReply;
using wire::Removal;
using wire::RenewReply;
using wire::RenewRequest;
using wire::Snapshot;

}  // namespace weft::mesh
