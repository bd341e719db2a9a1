// The door of tracing: who starts spans and keeps the last of them. A process has one Tracer; design.md, "Wire", says
// how contexts travel.
#pragma once
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/observe/span.hpp"

namespace weft::observe {

/// Which traces are exported. Decided where a trace begins; who continues it goes by its flags, where `parent_based`.
struct Sampling {
  bool parent_based = true;
  double ratio = 0;  ///< of the traces that begin here: 0 none, 1 all
};

/// Takes spans that are to be exported; `span` is borrowed for the call.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(const Span& span) noexcept = 0;
};

/// Starts spans, and keeps the last `spans_max` that ended in a ring, sampled or not: what `weft trace` and `weft why`
/// ask for after the fact. Those that failed are in a ring of their own too, so that good ones do not drive them out.
/// Sampled ones go to the sink as well. A span that failed makes its whole trace go there, as
/// far as the ring still has it, and what of that trace comes later. Loop-bound; record() and start() allocate nothing.
class Tracer {
 public:
  static constexpr std::size_t kSpansMax = 4096;
  static constexpr std::size_t kFailuresMax = 1024;
  static constexpr std::size_t kNamesMax = 4096;     ///< more share the name kOverflow
  static constexpr std::size_t kNameBytesMax = 256;  ///< longer ones are cut
  static constexpr std::string_view kOverflow = "_overflow";

  /// `seed` is used here only. `spans_max` is rounded up to a power of two.
  explicit Tracer(Random& seed, Sampling sampling = {}, std::size_t spans_max = kSpansMax);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  /// The number of a name or peer, for Span; look it up once, not at each span. The empty text is 0; what is not
  /// printable ASCII becomes '?'.
  std::uint32_t name(std::string_view text);
  std::string_view text(std::uint32_t name) const noexcept;

  /// The context of work under `parent`; without a trace there, that of a new trace.
  SpanContext start(const SpanContext& parent) noexcept;
  /// The context of a new trace that is sampled whatever the rules say.
  SpanContext start_sampled() noexcept;
  void record(const Span& span) noexcept;

  /// What the rings have, oldest first.
  std::vector<Span> of_trace(const TraceId& trace) const;
  /// `sender` 0: of anybody.
  std::vector<Span> of_message(std::uint64_t message_id, std::uint64_t sender = 0) const;
  /// Spans recorded so far.
  std::uint64_t recorded() const noexcept { return recorded_; }

  /// Borrows; null ends it.
  void export_to(SpanSink* sink) noexcept { sink_ = sink; }
  /// Of the process, for who exports; empty until it is known.
  void set_instance(std::string instance) { instance_ = std::move(instance); }
  const std::string& instance() const noexcept { return instance_; }

 private:
  struct Slot {
    Span span;
    std::uint32_t previous;  ///< number of the last span before it in the same bucket of traces
    bool exported;
  };
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  static constexpr std::size_t kKept = 256;

  std::uint64_t next_random() noexcept;
  SpanId new_span_id() noexcept;
  bool chosen(const TraceId& trace) const noexcept;
  bool has(std::uint32_t number) const noexcept { return recorded32_ - number - 1U <= mask_; }
  template <class Visit>
  void walk(const TraceId& trace, Visit visit) const noexcept;
  void keep_failure(const Span& span) noexcept;
  template <class Wanted>
  std::vector<Span> lost_failures(Wanted wanted) const;
  void offer(Slot& slot) noexcept;
  void give(Slot& slot) noexcept;

  std::array<std::uint64_t, 4> state_{};  // xoshiro256++
  bool parent_based_;
  std::uint64_t threshold_;  // a trace is chosen when its number is below
  std::uint32_t mask_;
  std::uint32_t recorded32_;  // of the next span; begins where number 0 is too old
  std::uint64_t recorded_ = 0;
  std::unique_ptr<Slot[], Free> slots_;  // from calloc: pages that no span has reached take no memory
  struct Failure {
    Span span;
    std::uint64_t number;  // of the spans recorded
  };
  std::unique_ptr<Failure[], Free> failures_;  // as is this
  std::uint64_t failed_ = 0;
  std::unique_ptr<std::uint32_t[]> newest_;  // by bucket of traces: number of its newest span
  std::array<std::uint64_t, kKept> kept_{};  // traces with a failure, by bucket
  SpanSink* sink_ = nullptr;
  std::string instance_;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

/// Records a message whose handler never got it, with the reason, in the ring of failures. `name` is the method or
/// topic, `parent` the trace context in the message. No effect where `tracer` is null: this process keeps no spans.
void record_unhandled(Tracer* tracer, const Loop& loop, SpanKind kind, std::string_view name, const MessageId& message,
                      const TraceContext& parent, std::string_view code, std::string_view note);

}  // namespace weft::observe
