#include "weft/mesh/dispatcher.hpp"

namespace weft::mesh {
namespace {

constexpr std::string_view kRequests = "weft_requests_total",
                           kRequestsHelp = "Requests answered, by method and outcome";

Error from_exception(std::string_view method) {
  const std::string where(method);
  try {
    throw;
  } catch (const std::exception& thrown) {
    return Error(codes::handler_failed, where + " failed: " + thrown.what());
  } catch (...) {
    return Error(codes::handler_failed, where + " failed with an exception of an unknown type");
  }
}

}  // namespace

Dispatcher::Dispatcher(Loop& loop, const PeerOptions& options, observe::Metrics& metrics, observe::Log& log,
                       Reply reply)
    : loop_(loop),
      options_(options),
      metrics_(metrics),
      log_(log),
      reply_(std::move(reply)),
      in_flight_gauge_(metrics.gauge("weft_requests_in_flight", "Requests being handled")) {}

void Dispatcher::serve(MethodInfo method, Handler handler) {
  if (auto fine = check_name("method name", method.name); !fine) throw std::logic_error(fine.error().message);
  const std::string name = method.name;
  Method entry{std::move(method), std::move(handler),
               &metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", name}, {"code", "ok"}}),
               &metrics_.histogram("weft_request_duration_seconds", "Time to handle a request, by method",
                                   observe::latency_bounds(), {{"endpoint", name}})};
  if (!methods_.emplace(name, std::move(entry)).second) throw std::logic_error("method '" + name + "' is served twice");
}

std::vector<MethodInfo> Dispatcher::methods() const {
  std::vector<MethodInfo> all;
  for (const auto& [name, method] : methods_) all.push_back(method.info);
  return all;
}

Result<Dispatcher::Method*> Dispatcher::find(std::string_view name) {
  const auto dot = name.find('.');
  const auto agent = name.substr(0, dot);
  const auto method = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (agent != options_.agent) {
    return Error(codes::no_such_method,
                 "this is agent '" + options_.agent + "', not '" + std::string(agent.substr(0, kNameMax)) + "'");
  }
  if (const auto found = methods_.find(method); found != methods_.end()) return &found->second;
  std::vector<std::string_view> known;
  for (const auto& [served, entry] : methods_) known.push_back(served);
  return Error(codes::no_such_method,
               "agent '" + options_.agent + "' has no method '" + std::string(method.substr(0, kNameMax)) + "'" +
                   did_you_mean(method, known),
               "weft info " + options_.agent + " lists its methods");
}

void Dispatcher::take(std::string_view peer, const wire::EnvelopeView& envelope) {
  if (envelope.header.kind == wire::Kind::cancel) {
    const auto found = active_.find(Key(peer, envelope.header.id));
    if (found != active_.end()) found->second->call.cancelled_ = true;
    return;
  }
  if (envelope.header.kind != wire::Kind::request) return;
  auto refuse = [&](Error error) {
    metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", "_refused"}, {"code", error.code}}).add();
    answer(peer, envelope.header.id, envelope.header.trace, std::move(error));
  };
  if (draining_)
    return refuse(Error(codes::draining, "agent '" + options_.agent + "' on " + options_.host + " is stopping"));
  if (active_.size() >= options_.limits.in_flight_max) {
    return refuse(Error(codes::queue_full,
                        "agent '" + options_.agent + "' handles " + std::to_string(active_.size()) +
                            " requests already (limits.in_flight_max)",
                        "call again later"));
  }
  auto method = find(envelope.name);
  if (!method) return refuse(std::move(method.error()));
  start(peer, envelope, **method);
}

void Dispatcher::start(std::string_view peer, const wire::EnvelopeView& envelope, Method& method) {
  auto active = std::make_shared<Active>();
  active->key = Key(peer, envelope.header.id);
  active->method = &method;
  active->begin = loop_.now();
  Call& call = active->call;
  call.method_ = method.info.name;
  call.payload_ = Payload(envelope.header.encoding, Bytes(envelope.payload.begin(), envelope.payload.end()));
  call.header_ = envelope.header;
  call.has_deadline_ = envelope.header.deadline_us > 0;
  call.deadline_ = active->begin + std::chrono::microseconds(envelope.header.deadline_us);
  if (!active_.emplace(active->key, active).second) return;  // the same id twice from one connection: the first counts
  in_flight_gauge_.set(static_cast<double>(active_.size()));
  running_.spawn(run(std::move(active)));
}

Task<void> Dispatcher::run(std::shared_ptr<Active> active) {
  Result<Payload> outcome = Error();
  try {
    outcome = co_await active->method->handler(active->call);
  } catch (...) {
    outcome = from_exception(active->method->info.name);
    log_.error("a handler threw", outcome.error(), {{"method", active->method->info.name}});
    if (failed_) failed_(active->method->info.name, outcome.error());
  }
  finish(*active, outcome);
}

void Dispatcher::finish(const Active& active, const Result<Payload>& outcome) {
  active.method->duration->observe(to_seconds(loop_.now() - active.begin));
  if (outcome) {
    active.method->ok->add();
  } else {
    metrics_.counter(kRequests, kRequestsHelp, {{"endpoint", active.method->info.name}, {"code", outcome.error().code}})
        .add();
  }
  if (!active.call.cancelled_) answer(active.key.first, active.key.second, active.call.trace(), outcome);
  active_.erase(Key(active.key));
  in_flight_gauge_.set(static_cast<double>(active_.size()));
}

void Dispatcher::answer(std::string_view peer, std::uint64_t id, const wire::TraceContext& trace,
                        Result<Payload> outcome) {
  wire::Header header;
  header.id = id;
  header.trace = trace;
  header.sender = options_.instance.short_id();
  header.epoch = static_cast<std::uint32_t>(epoch_);
  if (outcome && outcome->bytes.size() > options_.limits.payload_max) {
    outcome =
        Error(codes::too_large, "the answer has " + std::to_string(outcome->bytes.size()) + " bytes, the limit is " +
                                    std::to_string(options_.limits.payload_max) + " (limits.payload_max_bytes)");
  }
  if (outcome) {
    header.kind = wire::Kind::reply;
    header.encoding = outcome->encoding;
    return reply_(peer, header, std::move(outcome->bytes));
  }
  header.kind = wire::Kind::error;
  header.encoding = wire::Encoding::msgpack;
  reply_(peer, header, wire::encode_error(outcome.error()));
}

}  // namespace weft::mesh
