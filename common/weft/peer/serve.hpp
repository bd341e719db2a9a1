// serve(): a method whose request and reply are described types. Decodes the one and encodes the other.
#pragma once
#include <type_traits>
#include <utility>

#include "weft/base/request.hpp"
#include "weft/calls/call.hpp"
#include "weft/wire/record.hpp"

namespace weft::peer {

namespace detail {

template <class T>
inline constexpr bool kIsTask = false;
template <class T>
inline constexpr bool kIsTask<Task<T>> = true;

template <class Request, class Work>
auto run(Work& work, Request&& request, calls::Call& call) {
  if constexpr (std::is_invocable_v<Work&, Request&&, calls::Call&>) {
    return work(std::move(request), call);
  } else {
    return work(std::move(request));
  }
}

inline Result<wire::Payload> reply_of(Result<void> outcome) {
  if (!outcome) return std::move(outcome.error());
  return wire::Payload::of(Value());
}
template <class Reply>
Result<wire::Payload> reply_of(Result<Reply> outcome) {
  if (!outcome) return std::move(outcome.error());
  if constexpr (std::is_same_v<Reply, wire::Payload>) {
    return outcome;
  } else {
    return wire::Payload::of(*outcome);
  }
}

}  // namespace detail

/// The request of `call`. An empty payload is a request without fields. Errors: `bad_payload`: it cannot be read, lacks
/// a field that Request requires, or has one of the wrong type; with `Unknown::refuse` also a field unknown to Request.
template <class Request>
Result<Request> request_in(const calls::Call& call, Unknown unknown = Unknown::skip) {
  const bool empty = call.payload().bytes.empty();
  if constexpr (std::is_same_v<Request, Value>) {
    return empty ? Value() : call.payload().value();
  } else {
    if (!empty && unknown == Unknown::skip) return call.payload().as<Request>();
    auto value = empty ? Result<Value>(Value::Map()) : call.payload().value();
    if (!value) return value.error();
    return request_of<Request>(*value);
  }
}

/// Serves `<agent>.<info.name>` at `server`, which is a Peer or a Mesh. `work(Request)` or `work(Request, Call&)`
/// returns a Result or a Task of one: of a type that WEFT_FIELDS describes, of Value, Payload or void. `unknown`: what
/// to do with fields that Request does not have. Requests of processes skip them, so that a newer caller is understood;
/// those that people type refuse them (docs/decisions/0023).
template <class Request, class Server, class Work>
void serve(Server& server, wire::MethodInfo info, Work work, Unknown unknown = Unknown::skip) {
  server.serve(std::move(info),
               [work = std::move(work), unknown](calls::Call& call) mutable -> Task<Result<wire::Payload>> {
                 auto request = request_in<Request>(call, unknown);
                 if (!request) co_return request.error();
                 using Outcome = decltype(detail::run<Request>(work, std::move(*request), call));
                 if constexpr (detail::kIsTask<Outcome>) {
                   auto outcome = co_await detail::run<Request>(work, std::move(*request), call);
                   co_return detail::reply_of(std::move(outcome));
                 } else {
                   co_return detail::reply_of(detail::run<Request>(work, std::move(*request), call));
                 }
               });
}

}  // namespace weft::peer
