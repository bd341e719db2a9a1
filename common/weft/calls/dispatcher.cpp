#include <algorithm>

#include "weft/base/target.hpp"
#include "weft/calls/dispatcher_state.hpp"
#include "weft/observe/shared_metrics.hpp"
#include "weft/observe/trace.hpp"

namespace weft::calls {
namespace {

constexpr std::string_view kRequests = "weft_requests_total",
                           kRequestsHelp = "Requests answered, by method and outcome";
constexpr std::size_t kFreeMax = 1024;  // records of finished requests kept for the next

}  // namespace

Dispatcher::Dispatcher(Loop& loop, const Identity& identity, net::Limits limits, std::size_t in_flight_max,
                       observe::Metrics& metrics, observe::Log& log, Interceptors& interceptors, net::Server& server,
                       observe::Tracer* tracer)
    : loop_(loop),
      identity_(identity),
      limits_(limits),
      in_flight_max_(in_flight_max),
      metrics_(metrics),
      log_(log),
      interceptors_(interceptors),
      server_(server),
      tracer_(tracer),
      table_(std::make_unique<Table>()),
      in_flight_gauge_(metrics.gauge("weft_requests_in_flight", "Requests being handled")),
      expired_(observe::expired_requests(metrics, "transit")),
      sender_(identity.instance.short_id()) {
  interceptors_.add({.name = "metrics", .after_handler = [this](Incoming& call, const Result<Payload>& outcome) {
                       count(call, outcome);
                     }});
}

Dispatcher::~Dispatcher() {
  for (auto& [key, active] : *table_) active->running.destroy();
  for (auto& [key, active] : *table_) delete active;
}

void Dispatcher::serve(MethodInfo method, Handler handler) { add(std::move(method)).handler = std::move(handler); }

void Dispatcher::serve_stream(MethodInfo method, StreamHandler handler) {
  method.kind = "stream";
  add(std::move(method)).stream_handler = std::move(handler);
}

Dispatcher::Method& Dispatcher::add(MethodInfo method) {
  if (auto fine = check_name("method name", method.name); !fine) throw std::logic_error(fine.error().message);
  auto entry = std::make_unique<Method>();
  const std::string name = method.name;
  entry->full_name = identity_.agent + "." + name;
  entry->info = std::move(method);
  entry->id = static_cast<std::uint32_t>(by_id_.size());
  entry->ok = &metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", name}, {"code", "ok"}});
  entry->duration = &metrics_.histogram("weft_request_duration_seconds", "Time to handle a request, by method",
                                        observe::latency_bounds(), {{"endpoint", name}});
  const std::string_view key = entry->full_name;
  const auto [at, fresh] = methods_.emplace(key, std::move(entry));
  if (!fresh) throw std::logic_error("method '" + name + "' is served twice");
  by_id_.push_back(at->second.get());
  return *by_id_.back();
}

Result<Dispatcher::Method*> Dispatcher::find(std::string_view name) const {
  if (const auto found = methods_.find(name); found != methods_.end()) return found->second.get();
  const auto [agent, method] = split_target(name);
  if (agent == wire::kWhoever && method.starts_with('_')) return find(identity_.agent + "." + std::string(method));
  if (agent != identity_.agent) {
    return Error(codes::no_such_method,
                 "this is agent '" + identity_.agent + "', not '" + std::string(agent.substr(0, kNameMax)) + "'");
  }
  std::vector<std::string_view> known;
  for (const auto* served : by_id_) known.push_back(served->info.name);
  return Error(codes::no_such_method,
               "agent '" + identity_.agent + "' has no method '" + std::string(method.substr(0, kNameMax)) + "'" +
                   did_you_mean(method, known),
               "weft info " + identity_.agent + " lists its methods");
}

void Dispatcher::take(const net::Connection& from, const wire::EnvelopeView& envelope) {
  using enum wire::Kind;
  if (envelope.header.kind == request) return take_request(from, envelope);
  const auto found = table_->find(DispatchKey(from.id(), envelope.header.id));
  if (found == table_->end()) return;
  Active& active = *found->second;
  if (envelope.header.kind == cancel) return cancel_call(active, "its caller stopped waiting");
  if (!active.stream) return;
  const auto stream = active.stream;  // whoever is woken may end the call
  if (envelope.header.kind == chunk) stream->take_chunk(envelope);
  if (envelope.header.kind == credit) stream->take_credit(envelope);
}

void Dispatcher::cancel_call(Active& active, const char* why) {
  const auto stream = active.stream;
  active.abandoned = true;
  // Work with a key goes on: whoever sends it again gets its result.
  if (active.call->key().empty()) active.call->cancel();
  if (stream) stream->close(Error(codes::call_cancelled, std::string("the stream is over: ") + why));
}

void Dispatcher::connection_gone(const net::Connection& from) {
  std::vector<DispatchKey> keys;
  for (const auto& [key, active] : *table_) {
    if (active->from == from) keys.push_back(key);
  }
  for (const DispatchKey& key : keys) {
    if (const auto found = table_->find(key); found != table_->end()) cancel_call(*found->second, "its caller is gone");
  }
}

/// Whoever asks later what became of it is told.
void Dispatcher::record_unhandled(const wire::EnvelopeView& envelope, std::string_view code, std::string_view note) {
  const bool known = methods_.contains(envelope.name);  // a name from the wire would fill the table of names
  observe::record_unhandled(tracer_, loop_, observe::SpanKind::server, known ? envelope.name : "an unknown method",
                            {envelope.header.id, envelope.header.sender}, envelope.header.trace, code, note);
}

void Dispatcher::refuse(const net::Connection& from, const wire::EnvelopeView& envelope, const Error& error) {
  record_unhandled(envelope, error.code, "refused before its handler");
  metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", "_refused"}, {"code", error.code}}).add();
  answer(from, envelope.header.id, envelope.header.trace, error);
}

void Dispatcher::take_request(const net::Connection& from, const wire::EnvelopeView& envelope) {
  const auto extension = wire::decode_extension(envelope.extension);
  if (!extension) return refuse(from, envelope, extension.error());
  const TimePoint now = loop_.turn_time();
  const Duration queued = from.delay(extension->sent_us, now);
  const std::chrono::microseconds budget(envelope.header.deadline_us);
  if (budget.count() > 0 && queued >= budget) {  // its caller has given up
    // A ping that asks whether this process answers is sent beside the requests; it is none of them.
    if (split_target(envelope.name).method == "_ping") return;
    expired_.add();
    return record_unhandled(envelope, codes::deadline_exceeded.id, "its time was over when it came");
  }
  if (draining_) {
    refused_ = now;
    return refuse(from, envelope,
                  Error(codes::draining, "agent '" + identity_.agent + "' on " + identity_.host + " is stopping"));
  }
  if (in_flight_ >= in_flight_max_) {
    return refuse(from, envelope,
                  Error(codes::queue_full,
                        "agent '" + identity_.agent + "' handles " + std::to_string(in_flight_) +
                            " requests already (limits.in_flight_max)",
                        "call again later"));
  }
  const auto method = find(envelope.name);
  if (!method) return refuse(from, envelope, method.error());
  const auto [at, fresh] = table_->try_emplace(DispatchKey(from.id(), envelope.header.id), nullptr);
  if (!fresh) return;  // the same id twice from one connection: the first counts
  Active& active = *(at->second = make_active());
  active.from = from;
  active.method = *method;
  active.begin = now;
  auto fine = fill(active, envelope, *extension, queued);
  if (!fine) {
    table_->erase(active.key());
    free_active(active);
    return refuse(from, envelope, fine.error());
  }
  ++in_flight_;
  in_flight_gauge_.set(static_cast<double>(in_flight_));
  run(active);
}

Result<void> Dispatcher::fill(Active& active, const wire::EnvelopeView& envelope, wire::Extension extension,
                              Duration queued) {
  Call& call = active.call.emplace();
  active.queued = queued;
  call.method_ = active.method->info.name;
  call.full_name_ = active.method->full_name;
  call.payload_.encoding = envelope.header.encoding;
  call.payload_.bytes.assign(envelope.payload.begin(), envelope.payload.end());
  call.header_ = envelope.header;
  extension.sent_us = 0;
  if (!extension.empty()) {  // there is more than the stamp
    call.extension_bytes_.assign(envelope.extension.begin(), envelope.extension.end());
    call.extension_ = *wire::decode_extension(call.extension_bytes_);
  }
  call.has_deadline_ = envelope.header.deadline_us > 0;
  call.deadline_ = active.begin + std::chrono::microseconds(envelope.header.deadline_us) - queued;
  return check_chain(call);
}

/// A call that came to wait on itself would wait until its deadline: told at once, with who waits for whom.
Result<void> Dispatcher::check_chain(const Call& call) const {
  if (call.chain().empty() || call.method().starts_with('_')) return {};
  bool here = false;
  std::string text;
  const bool good = wire::walk_chain(call.chain(), [&](const wire::ChainLink& link) {
    here = here || link.instance == sender_;
    if (here) text += std::string(link.method) + " -> ";
  });
  if (!good) return Error(codes::bad_envelope, "the chain of calls in the envelope is malformed");
  if (!here) return {};
  return Error(codes::call_cycle, "calls in a circle: " + text + std::string(call.full_name_),
               "let one of them publish, report or answer instead of calling back");
}

Dispatcher::Running Dispatcher::run(Active& active) {
  Incoming incoming{.call = *active.call,
                    .method = active.method->info,
                    .method_id = active.method->id,
                    .queued = active.queued,
                    .begin = active.begin,
                    .trace = active.call->header_.trace};
  std::size_t ran = 0;
  Result<Payload> outcome;
  if (auto fine = interceptors_.before(incoming, ran); !fine) {
    outcome = std::move(fine.error());
  } else {
    try {
      outcome = co_await handle(active);
    } catch (...) {
      outcome = threw(*active.method, *active.call);
    }
  }
  incoming.end = loop_.turn_time();
  interceptors_.after(incoming, outcome, ran);
  finish(active, std::move(outcome));
}

/// In a catch clause.
Error Dispatcher::threw(const Method& method, const Call& call) {
  const TraceScope scope(call.trace());
  const ThrownFacts thrown = what_of_with_stack(std::current_exception());
  Error error(codes::handler_failed, method.info.name + " failed: " + thrown.text);
  log_.error("a handler threw", error,
             {{"method", method.info.name},
              {"exception", thrown.type},
              {"message", observe::to_text({call.id(), call.sender()})}});
  if (failed_) failed_(method.info.name, thrown);
  return error;
}

Task<Result<Payload>> Dispatcher::handle(Active& active) {
  Method& method = *active.method;
  if (method.handler) return active.call->key().empty() ? method.handler(*active.call) : once(method, *active.call);
  return handle_stream(active);
}

Task<Result<Payload>> Dispatcher::handle_stream(Active& active) {
  const Call& call = *active.call;
  const bool writes = call.extension_.window > 0 && (call.header_.flags & wire::kFlagEnd) == 0;
  active.stream = std::make_shared<CalleeStream>(*this, active, call.extension_.window, writes);
  Stream stream(active.stream);
  co_return co_await active.method->stream_handler(*active.call, stream);
}

void Dispatcher::count(const Incoming& call, const Result<Payload>& outcome) {
  const Method& method = *by_id_[call.method_id];
  observe::observe_duration(*method.duration, call.end - call.begin, call.trace, loop_.clock());
  ++ended_;
  if (outcome) return method.ok->add();
  ++failures_;
  metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", method.info.name}, {"code", outcome.error().code}}).add();
}

void Dispatcher::finish(Active& active, Result<Payload> outcome) {
  if (const auto stream = std::exchange(active.stream, nullptr))
    stream->close(Error(codes::stream_closed, "the stream is over: its handler has answered"));
  if (!active.abandoned) answer(active.from, active.call->id(), active.call->trace(), std::move(outcome));
  table_->erase(active.key());
  free_active(active);
  --in_flight_;
  in_flight_gauge_.set(static_cast<double>(in_flight_));
}

Dispatcher::Active* Dispatcher::make_active() {
  if (free_.empty()) return new Active();
  Active* active = free_.back().release();
  free_.pop_back();
  return active;
}

void Dispatcher::free_active(Active& active) noexcept {
  active.call.reset();
  active.abandoned = false;
  active.from = {};
  if (free_.size() < kFreeMax) {
    free_.emplace_back(&active);
  } else {
    delete &active;
  }
}

void Dispatcher::answer(const net::Connection& to, std::uint64_t id, const TraceContext& trace,
                        Result<Payload> outcome) {
  wire::Header header;
  header.id = id;
  header.trace = trace;
  header.sender = sender_;
  header.epoch = epoch_;
  if (outcome && outcome->bytes.size() > limits_.wire.payload_max) {
    outcome =
        Error(codes::too_large, "the answer has " + std::to_string(outcome->bytes.size()) + " bytes, the limit is " +
                                    std::to_string(limits_.wire.payload_max) + " (limits.payload_max_bytes)");
  }
  if (outcome) {
    header.kind = wire::Kind::reply;
    header.encoding = outcome->encoding;
    if (const auto sent = server_.send(to, header, outcome->bytes); sent) return;
    outcome = Error(codes::peer_gone, "its answer was dropped: " + std::to_string(limits_.queue_bytes_max) +
                                          " bytes wait for the caller already (limits.queue_max_bytes)");
  }
  header.kind = wire::Kind::error;
  header.encoding = wire::Encoding::msgpack;
  Bytes body = wire::encode_error(outcome.error());
  (void)server_.send(to, header, body);
}

}  // namespace weft::calls
