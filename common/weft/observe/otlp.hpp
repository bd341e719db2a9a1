// The door of span export: OTLP over HTTP in its JSON encoding (opentelemetry.io/docs/specs/otlp), set up by the
// variables that every OpenTelemetry SDK reads. docs/tracing.md is for users.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/io/io.hpp"
#include "weft/observe/observe.hpp"
#include "weft/observe/trace.hpp"

namespace weft::observe {

using Attributes = std::map<std::string, std::string>;

struct OtlpSettings {
  std::string url;  ///< where spans are posted; empty: nowhere
  std::map<std::string, std::string> headers;
  Attributes resource;  ///< who the spans are of
  Sampling sampling;
  std::size_t queue_max = 2048;              ///< spans that wait; more are dropped and counted
  std::size_t batch_max = 512;               ///< spans of one request
  Duration delay = std::chrono::seconds(5);  ///< how long a span waits for others to go with it
  Duration timeout = std::chrono::seconds(10);
  std::vector<std::string> mistakes;  ///< what a variable says and cannot be done; for the log
};
/// Reads the OTEL_ variables of `environment`; `resource` holds what they add to. A mistake in them never keeps a
/// process from its work: it is told, and the default taken, or nothing exported.
OtlpSettings otlp_settings(const std::map<std::string, std::string>& environment, Attributes resource);

/// Sends the spans it takes in batches, one request at a time. A request that fails (no connection, 429, 5xx) is made
/// again, later each time, kAttemptsMax times in all; what does not fit or arrive is counted by reason in
/// weft_spans_dropped_total. Loop-bound.
class OtlpExporter final : public SpanSink {
 public:
  /// Posts one body.
  using Post = std::function<Task<Result<io::HttpResponse>>(std::string body, Duration timeout)>;
  static constexpr int kAttemptsMax = 5;
  static constexpr Duration kPause = std::chrono::seconds(1);      ///< after the first failure; doubles, with jitter
  static constexpr Duration kPauseMax = std::chrono::seconds(30);  ///< also of what a Retry-After may ask for

  /// Borrows all but `settings` and `post`. Takes the spans of `tracer` until it goes.
  OtlpExporter(Loop& loop, Tracer& tracer, OtlpSettings settings, Random& random, Metrics& metrics, Log& log,
               Post post);
  ~OtlpExporter() override;

  void take(const Span& span) noexcept override;
  /// Sends what waits, without pauses, for at most `budget`; what is left then is dropped. Takes no spans any more.
  Task<void> flush(Duration budget);

 private:
  enum class Verdict : std::uint8_t { taken, again, refused };
  struct Dropped {
    Counter &queue_full, &refused, &retries, &shutdown;
  };
  void begin();
  Task<void> send_queued();
  Task<void> send(std::vector<Span> spans);
  Task<void> pause(int attempt);
  Verdict judge(const Result<io::HttpResponse>& answer, std::size_t spans);
  void tell_failing(const std::string& why);

  Loop& loop_;
  Tracer& tracer_;
  const OtlpSettings settings_;
  Random& random_;
  Log& log_;
  Post post_;
  Counter &exported_, &failures_;
  Dropped dropped_;
  std::deque<Span> queue_;
  std::size_t in_hand_ = 0;  // spans of the batch that is being sent
  bool sending_ = false, flushing_ = false, failing_ = false;
  TimePoint flush_end_{};
  Duration retry_after_{};
  Completion<bool>::Completer wake_, done_;
  Timer delay_;
  TaskScope tasks_;  // last: they use the rest
};

/// As the exporter of a real process posts.
OtlpExporter::Post otlp_post(io::IoLoop& loop, const OtlpSettings& settings);

}  // namespace weft::observe
