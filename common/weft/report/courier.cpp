#include "weft/report/courier.hpp"

#include <algorithm>

namespace weft::report {

Courier::Courier(Loop& loop, Source& source, Options options, Send send)
    : source_(source),
      options_(std::move(options)),
      send_(std::move(send)),
      batch_max_(options_.batch_max),
      backoff_(options_.retry_min, options_.retry_max),
      retry_(loop) {}

void Courier::wake() {
  if (!idle()) return;
  running_ = true;
  scope_.spawn(run());
}

void Courier::forget_failures() {
  retry_.stop();
  backoff_.reset();
}

void Courier::stop() {
  scope_.cancel_all();
  retry_.stop();
}

Task<void> Courier::run() {
  for (bool again = true; again;) {
    auto events = source_.next(batch_max_);
    if (!events) {
      failed(events.error());
      break;
    }
    if (events->empty()) break;
    const std::size_t count = events->size();
    ReportRequest request;
    request.events = std::move(*events);
    request.via = options_.via;
    const auto outcome = co_await attempt(std::move(request));
    again = settle(count, outcome);
  }
  running_ = false;
}

Task<Result<ReportReply>> Courier::attempt(ReportRequest request) {
  try {
    co_return co_await send_(std::move(request));
  } catch (const std::exception& thrown) {
    co_return Error(codes::bug, thrown.what());
  }
}

/// True: the next batch may follow at once. False: the retry timer runs.
bool Courier::settle(std::size_t events, const Result<ReportReply>& outcome) {
  if (outcome) {
    backoff_.reset();
    batch_max_ = std::min(batch_max_ * 2, options_.batch_max);
    source_.delivered(events);
    return true;
  }
  const Error& error = outcome.error();
  if (!error.is(codes::bad_event) && !error.is(codes::too_large) && !error.is(codes::bad_payload)) {
    failed(error);
    return false;
  }
  if (events > 1) {
    batch_max_ = events / 2;
  } else {
    source_.rejected(error);
  }
  return true;
}

void Courier::failed(const Error& error) {
  source_.failed(error);
  retry_.start(backoff_.next(), [this] { wake(); });
}

}  // namespace weft::report
