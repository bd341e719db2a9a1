// Tracer: the ring, the chains of one trace through it, and who goes to the exporter.
#include "weft/observe/trace.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace weft::observe {
namespace {

/// The half of a trace id that W3C wants to be random; sampling goes by it (as other SDKs do), and so do buckets.
std::uint64_t number_of(const TraceId& trace) noexcept {
  std::uint64_t out = 0;
  std::memcpy(&out, trace.data() + 8, sizeof out);
  return std::endian::native == std::endian::little ? __builtin_bswap64(out) : out;
}

std::uint64_t threshold_for(double ratio) {
  constexpr std::uint64_t kAll = std::uint64_t{1} << 63;
  if (!(ratio > 0)) return 0;
  return ratio >= 1 ? kAll : static_cast<std::uint64_t>(ratio * static_cast<double>(kAll));
}

/// Names may come from the wire.
bool is_plain(char c) noexcept { return c >= ' ' && c <= '~'; }
std::string plain(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_plain(c); }, '?');
  return out;
}

std::uint32_t ring_size(std::size_t wanted) {
  return static_cast<std::uint32_t>(std::bit_ceil(std::clamp<std::size_t>(wanted, 2, std::size_t{1} << 24)));
}

}  // namespace

Tracer::Tracer(Random& seed, Sampling sampling, std::size_t spans_max)
    : parent_based_(sampling.parent_based),
      threshold_(threshold_for(sampling.ratio)),
      mask_(ring_size(spans_max) - 1),
      recorded32_(mask_ + 2),
      slots_(static_cast<Slot*>(std::calloc(mask_ + 1, sizeof(Slot)))),
      failures_(static_cast<Failure*>(std::calloc(kFailuresMax, sizeof(Failure)))),
      newest_(std::make_unique<std::uint32_t[]>(mask_ + 1)) {
  static_assert(std::is_trivially_copyable_v<Slot> && sizeof(Slot) <= 112);
  if (!slots_ || !failures_) throw std::bad_alloc();
  for (auto& word : state_) word = seed.next() | 1U;
  (void)name("");
  (void)name(kOverflow);
}

std::uint32_t Tracer::name(std::string_view text) {
  text = text.substr(0, kNameBytesMax);
  if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
  if (!std::all_of(text.begin(), text.end(), is_plain)) return name(plain(text));
  if (names_.size() >= kNamesMax) return 1;
  const auto number = static_cast<std::uint32_t>(names_.size());
  numbers_.emplace(names_.emplace_back(text), number);
  return number;
}

std::string_view Tracer::text(std::uint32_t name) const noexcept {
  return name < names_.size() ? std::string_view(names_[name]) : kOverflow;
}

/// prng.di.unimi.it/xoshiro256plusplus.c. Ids need to differ, not to be secret.
std::uint64_t Tracer::next_random() noexcept {
  const std::uint64_t out = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return out;
}

SpanId Tracer::new_span_id() noexcept {
  SpanId out;
  const std::uint64_t number = next_random() | 1U;  // never 0
  std::memcpy(out.data(), &number, sizeof number);
  return out;
}

bool Tracer::chosen(const TraceId& trace) const noexcept { return number_of(trace) >> 1 < threshold_; }

SpanContext Tracer::start(const SpanContext& parent) noexcept {
  SpanContext out;
  if (parent.has_trace()) {
    out.trace_id = parent.trace_id;
    out.flags = parent_based_ ? parent.flags : chosen(out.trace_id) ? SpanContext::kSampled : std::uint8_t{0};
  } else {
    const std::array<std::uint64_t, 2> numbers{next_random() | 1U, next_random()};
    std::memcpy(out.trace_id.data(), numbers.data(), sizeof numbers);
    out.flags = chosen(out.trace_id) ? SpanContext::kSampled : std::uint8_t{0};
  }
  out.span_id = new_span_id();
  return out;
}

SpanContext Tracer::start_sampled() noexcept {
  SpanContext out = start(SpanContext());
  out.flags = SpanContext::kSampled;
  return out;
}

void Tracer::record(const Span& span) noexcept {
  const std::uint32_t number = recorded32_++;
  ++recorded_;
  Slot& slot = slots_[number & mask_];
  slot.span = span;
  slot.exported = false;
  slot.previous = std::exchange(newest_[number_of(span.context.trace_id) & mask_], number);
  if (span.error != 0) [[unlikely]]
    keep_failure(span);
  if (sink_) offer(slot);
}

void Tracer::keep_failure(const Span& span) noexcept { failures_[failed_++ % kFailuresMax] = {span, recorded_ - 1}; }

/// Those that the ring of all has no longer, oldest first.
template <class Wanted>
std::vector<Span> Tracer::lost_failures(Wanted wanted) const {
  std::vector<Span> out;
  for (std::uint64_t at = failed_ - std::min<std::uint64_t>(failed_, kFailuresMax); at < failed_; ++at) {
    const Failure& one = failures_[at % kFailuresMax];
    if (recorded_ - one.number > mask_ + 1U && wanted(one.span)) out.push_back(one.span);
  }
  return out;
}

/// Newest first.
template <class Visit>
void Tracer::walk(const TraceId& trace, Visit visit) const noexcept {
  std::uint32_t number = newest_[number_of(trace) & mask_];
  std::uint32_t age = 0;
  while (has(number)) {
    Slot& slot = slots_[number & mask_];
    if (slot.span.context.trace_id == trace) visit(slot);
    age = recorded32_ - number;
    number = slot.previous;
    if (recorded32_ - number <= age) return;  // numbers went round
  }
}

void Tracer::offer(Slot& slot) noexcept {
  const TraceId& trace = slot.span.context.trace_id;
  if (!slot.span.context.has_trace()) return;
  const std::uint64_t number = number_of(trace);
  if (slot.span.context.sampled() || kept_[number % kKept] == number) return give(slot);
  if (slot.span.error == 0) return;
  kept_[number % kKept] = number;
  walk(trace, [this](Slot& one) { give(one); });
}

void Tracer::give(Slot& slot) noexcept {
  if (!std::exchange(slot.exported, true)) sink_->take(slot.span);
}

std::vector<Span> Tracer::of_trace(const TraceId& trace) const {
  std::vector<Span> kept;
  walk(trace, [&kept](const Slot& slot) { kept.push_back(slot.span); });
  auto out = lost_failures([&trace](const Span& span) { return span.context.trace_id == trace; });
  out.insert(out.end(), kept.rbegin(), kept.rend());
  return out;
}

std::vector<Span> Tracer::of_message(std::uint64_t message_id, std::uint64_t sender) const {
  const auto wanted = [=](const Span& span) {
    return span.message_id == message_id && (sender == 0 || span.sender == sender);
  };
  auto out = lost_failures(wanted);
  const auto first = recorded32_ - static_cast<std::uint32_t>(std::min<std::uint64_t>(recorded_, mask_ + 1U));
  for (std::uint32_t number = first; number != recorded32_; ++number) {
    const Span& span = slots_[number & mask_].span;
    if (wanted(span)) out.push_back(span);
  }
  return out;
}

void record_unhandled(Tracer* tracer, const Loop& loop, SpanKind kind, std::string_view name, const MessageId& message,
                      const TraceContext& parent, std::string_view code, std::string_view note) {
  if (!tracer) return;
  Span span;
  if (parent.has_trace()) {
    span.context = tracer->start(parent);
    span.parent = parent.span_id;
  }
  span.kind = kind;
  span.error = error_number(code);
  span.name = tracer->name(name);
  span.note = tracer->name(note);
  span.message_id = message.id;
  span.sender = message.sender;
  span.begin = loop.turn_time();
  tracer->record(span);
}

}  // namespace weft::observe
