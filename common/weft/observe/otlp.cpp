// OtlpExporter: the queue, one request at a time, and what becomes of it when it fails.
#include "weft/observe/otlp.hpp"

#include <algorithm>
#include <charconv>

#include "weft/observe/otlp_json.hpp"

namespace weft::observe {
namespace {

constexpr std::string_view kDropped = "weft_spans_dropped_total",
                           kDroppedHelp = "Spans that were to be exported and were not, by reason";
constexpr std::size_t kAnswerShown = 200;  // bytes of a collector's answer in the log

Counter& dropped(Metrics& metrics, const char* reason) {
  return metrics.counter(kDropped, kDroppedHelp, {{"reason", reason}});
}

/// In seconds, as collectors send it; a date is not waited for.
Duration retry_after(const io::HttpResponse& answer) {
  const auto found = answer.headers.find("retry-after");
  std::uint32_t seconds = 0;
  if (found != answer.headers.end())
    (void)std::from_chars(found->second.data(), found->second.data() + found->second.size(), seconds);
  return std::chrono::seconds(seconds);
}

}  // namespace

OtlpExporter::OtlpExporter(Loop& loop, Tracer& tracer, OtlpSettings settings, Random& random, Metrics& metrics,
                           Log& log, Post post)
    : loop_(loop),
      tracer_(tracer),
      settings_(std::move(settings)),
      random_(random),
      log_(log),
      post_(std::move(post)),
      exported_(metrics.counter("weft_spans_exported_total", "Spans that the collector took")),
      failures_(metrics.counter("weft_span_export_failures_total", "Requests to the collector that failed")),
      dropped_{dropped(metrics, "queue_full"), dropped(metrics, "refused"), dropped(metrics, "retries"),
               dropped(metrics, "shutdown")},
      delay_(loop) {
  tracer_.export_to(this);
}

OtlpExporter::~OtlpExporter() { tracer_.export_to(nullptr); }

void OtlpExporter::take(const Span& span) noexcept {
  if (queue_.size() >= settings_.queue_max) return dropped_.queue_full.add();
  queue_.push_back(span);
  if (sending_) return;
  if (queue_.size() == settings_.batch_max) {
    delay_.start(Duration(), [this] { begin(); });  // not in the middle of somebody's call
  } else if (!delay_.running()) {
    delay_.start(settings_.delay, [this] { begin(); });
  }
}

void OtlpExporter::begin() {
  sending_ = true;
  tasks_.spawn(send_queued(), [this](const std::exception_ptr& failure) {
    sending_ = false;
    dropped_.retries.add(std::exchange(in_hand_, 0));  // an exception, out of memory, was in between
    if (failure) log_.error("spans were not exported: an exception escaped");
    if (!queue_.empty() && !flushing_) delay_.start(settings_.delay, [this] { begin(); });
    done_.complete(true);
  });
}

Task<void> OtlpExporter::send_queued() {
  do {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), settings_.batch_max));
    std::vector<Span> spans(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
    co_await send(std::move(spans));
  } while (queue_.size() >= (flushing_ ? 1 : settings_.batch_max));
}

Task<void> OtlpExporter::send(std::vector<Span> spans) {
  in_hand_ = spans.size();
  Attributes resource = settings_.resource;
  if (!tracer_.instance().empty()) resource.emplace("service.instance.id", tracer_.instance());
  const std::string body = otlp_json(spans, tracer_, resource, loop_.clock());
  for (int attempt = 1;; ++attempt) {
    const Duration timeout = flushing_ ? std::max<Duration>(flush_end_ - loop_.now(), 1ms) : settings_.timeout;
    const auto answer = co_await post_(body, timeout);
    const Verdict verdict = judge(answer, spans.size());
    if (verdict != Verdict::again) break;
    if (flushing_ || attempt == kAttemptsMax) {
      (flushing_ ? dropped_.shutdown : dropped_.retries).add(spans.size());
      if (flushing_) dropped_.shutdown.add(queue_.size());
      if (flushing_) queue_.clear();
      break;
    }
    co_await pause(attempt);
  }
  in_hand_ = 0;
}

OtlpExporter::Verdict OtlpExporter::judge(const Result<io::HttpResponse>& answer, std::size_t spans) {
  retry_after_ = answer ? retry_after(*answer) : Duration();
  if (answer && answer->status >= 200 && answer->status < 300) {
    if (std::exchange(failing_, false)) log_.info("spans are exported again", {{"url", settings_.url}});
    std::string message;
    const auto rejected = std::min<std::uint64_t>(rejected_spans(answer->body, message), spans);
    if (rejected > 0) log_.warn("the collector refused spans", {{"spans", rejected}, {"answer", message}});
    dropped_.refused.add(rejected);
    exported_.add(spans - rejected);
    return Verdict::taken;
  }
  failures_.add();
  if (!answer || answer->status == 429 || answer->status >= 500) {
    tell_failing(answer ? "status " + std::to_string(answer->status) : answer.error().message);
    return Verdict::again;
  }
  log_.warn("the collector refused spans", {{"url", settings_.url},
                                            {"status", answer->status},
                                            {"spans", spans},
                                            {"answer", answer->body.substr(0, kAnswerShown)}});
  dropped_.refused.add(spans);
  return Verdict::refused;
}

/// Once, until it works again.
void OtlpExporter::tell_failing(const std::string& why) {
  if (std::exchange(failing_, true)) return;
  log_.warn("spans cannot be exported now",
            {{"url", settings_.url},
             {"why", why},
             {"hint", "is a collector there? weft_spans_dropped_total counts what is lost"}});
}

/// Exponential, half of it random, so that the processes of a host do not come back all at once.
Task<void> OtlpExporter::pause(int attempt) {
  const Duration longest = std::min(kPause * (1 << (attempt - 1)), kPauseMax);
  const auto random = static_cast<std::uint64_t>(longest.count() / 2);
  const Duration jittered = longest / 2 + Duration(static_cast<std::int64_t>(random_.below(random)));
  Completion<bool> woken;
  wake_ = woken.completer();
  Timer timer(loop_);
  timer.start(std::max(jittered, std::min(retry_after_, kPauseMax)), [this] { wake_.complete(true); });
  co_await woken;
}

Task<void> OtlpExporter::flush(Duration budget) {
  tracer_.export_to(nullptr);
  delay_.stop();
  flushing_ = true;
  flush_end_ = loop_.now() + budget;
  if (!sending_ && !queue_.empty()) begin();
  wake_.complete(true);
  if (sending_) {
    Completion<bool> done;
    done_ = done.completer();
    Timer limit(loop_);
    limit.start(budget, [this] { done_.complete(false); });
    const bool sent = co_await done;
    if (!sent) tasks_.cancel_all();
  }
  dropped_.shutdown.add(std::exchange(in_hand_, 0) + queue_.size());
  queue_.clear();
}

OtlpExporter::Post otlp_post(io::IoLoop& loop, const OtlpSettings& settings) {
  return [&loop, url = settings.url, headers = settings.headers](std::string body, Duration timeout) {
    io::HttpPost post(url);
    post.headers = headers;
    post.body = std::move(body);
    io::HttpClientOptions options;
    options.timeout = timeout;
    return io::http_post(loop, std::move(post), options);
  };
}

}  // namespace weft::observe
