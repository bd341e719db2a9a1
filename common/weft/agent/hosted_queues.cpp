// Hosted: its work queues.
#include "weft/agent/hosted.hpp"

namespace weft {
namespace {

Task<Result<Ulid>> accepted(Task<Result<queue::Receipt>> push) {
  auto receipt = co_await push;
  if (!receipt) co_return receipt.error();
  co_return receipt->id();
}

Task<Result<Payload>> finished(Task<Result<queue::Receipt>> push) {
  auto receipt = co_await push;
  if (!receipt) co_return receipt.error();
  co_return co_await receipt->done();
}

}  // namespace

void Hosted::serve_queue_payload(std::string method, queue::Handler handler, queue::ServeOptions options) {
  auto held = std::make_shared<queue::Handler>(std::move(handler));
  auto run = [this, held](const QueueItem& item) {
    return handle(item.call, false, [held, &item] { return (*held)(item); });
  };
  queues_.serve(std::move(method), std::move(run), std::move(options));
}

Task<Result<Ulid>> Hosted::push_payload(std::string target, Payload payload, PushOptions options) {
  join_trace(options.trace);
  UniqueFunction<Task<Result<Ulid>>()> work = [this, target = std::move(target), payload = std::move(payload),
                                               options = std::move(options)]() mutable {
    return accepted(queues_.push(std::move(target), std::move(payload), std::move(options)));
  };
  co_return co_await on_loop<Ulid>(std::move(work));
}

Task<Result<Payload>> Hosted::push_and_wait_payload(std::string target, Payload payload, PushOptions options) {
  join_trace(options.trace);
  UniqueFunction<Task<Result<Payload>>()> work = [this, target = std::move(target), payload = std::move(payload),
                                                  options = std::move(options)]() mutable {
    return finished(queues_.push(std::move(target), std::move(payload), std::move(options)));
  };
  co_return co_await on_loop<Payload>(std::move(work));
}

}  // namespace weft
