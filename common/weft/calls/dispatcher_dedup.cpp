// The dispatcher's part in idempotency: calls with the same key have one effect.
#include "weft/calls/dispatcher.hpp"

namespace weft::calls {

Task<Result<Payload>> Dispatcher::once(Method& method, Call& incoming) {
  if (!method.window) make_window(method);
  DedupWindow& window = *method.window;
  const std::string_view key = incoming.key();
  const auto look = window.look(key, incoming.payload(), loop_.turn_time());
  if (look.found == DedupWindow::Found::mismatch) {
    co_return Error(
        codes::bad_value,
        method.full_name + ": the idempotency key '" + std::string(key) + "' came with another payload before",
        "a key names one piece of work: take another one");
  }
  if (look.found == DedupWindow::Found::full) {
    co_return Error(codes::queue_full, method.full_name + ": " + std::to_string(window.size()) +
                                           " calls with keys are running (idempotency.max_keys)");
  }
  if (look.found != DedupWindow::Found::fresh) {
    method.deduplicated->add();
    if (look.found == DedupWindow::Found::done) co_return *look.outcome;
    Completion<Result<Payload>> result;
    window.wait(key, result.completer());
    co_return co_await result;
  }
  Result<Payload> outcome = Error();
  try {
    outcome = co_await method.handler(incoming);
  } catch (...) {
    outcome = threw(method, incoming);
  }
  window.finish(key, outcome, loop_.turn_time());
  co_return outcome;
}

void Dispatcher::make_window(Method& method) {
  const auto rules = policies_ ? policies_->policy_for(method.full_name).policy.idempotency : Policy::Idempotency();
  method.window = std::make_unique<DedupWindow>(rules);
  method.deduplicated = &metrics_.counter("weft_requests_deduplicated_total",
                                          "Requests answered with the result of another that had the same key",
                                          {{"endpoint", method.info.name}});
}

}  // namespace weft::calls
