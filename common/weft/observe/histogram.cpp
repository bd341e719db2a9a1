// Histogram: counts in plain cells of one writer, and the last exemplar of each bucket, which a scrape on another
// thread may read while it is written.
#include <algorithm>

#include "weft/observe/observe.hpp"

namespace weft::observe {

/// Written by one thread between an odd and the next even version; who reads another version after than before, or an
/// odd one, has read nothing.
struct Histogram::Cell {
  std::atomic<std::uint32_t> version{0};
  std::array<std::atomic<std::uint64_t>, 3> ids{};
  std::atomic<double> value{0};
  std::atomic<std::int64_t> time_us{0};
};

Histogram::Histogram(std::vector<double> upper_bounds)
    : bounds_(std::move(upper_bounds)), counts_(bounds_.size() + 1) {}
Histogram::~Histogram() { delete[] exemplars_.load(std::memory_order_relaxed); }

std::size_t Histogram::count_in(double value) noexcept {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto bucket = static_cast<std::size_t>(bound - bounds_.begin());
  auto& count = counts_[bucket];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  sum_.add(value);
  return bucket;
}

void Histogram::observe(double value, const SpanContext& trace, WallTime time) noexcept {
  const std::size_t bucket = count_in(value);
  Cell* cells = exemplars_.load(std::memory_order_relaxed);
  if (!cells) {
    cells = new Cell[counts_.size()];
    exemplars_.store(cells, std::memory_order_release);
  }
  Cell& cell = cells[bucket];
  const auto version = cell.version.load(std::memory_order_relaxed);
  cell.version.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  std::array<std::uint64_t, 3> ids{};
  std::copy_n(trace.trace_id.begin(), 16, reinterpret_cast<std::uint8_t*>(ids.data()));
  std::copy_n(trace.span_id.begin(), 8, reinterpret_cast<std::uint8_t*>(ids.data() + 2));
  for (std::size_t i = 0; i < ids.size(); ++i) cell.ids[i].store(ids[i], std::memory_order_relaxed);
  cell.value.store(value, std::memory_order_relaxed);
  cell.time_us.store(to_us(time), std::memory_order_relaxed);
  cell.version.store(version + 2, std::memory_order_release);
}

std::optional<Exemplar> Histogram::exemplar(std::size_t bucket) const noexcept {
  const Cell* cells = exemplars_.load(std::memory_order_acquire);
  if (!cells) return std::nullopt;
  const Cell& cell = cells[bucket];
  const auto version = cell.version.load(std::memory_order_acquire);
  if (version == 0 || version % 2 != 0) return std::nullopt;
  std::array<std::uint64_t, 3> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = cell.ids[i].load(std::memory_order_relaxed);
  Exemplar out;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(ids.data()), 16, out.trace_id.begin());
  std::copy_n(reinterpret_cast<const std::uint8_t*>(ids.data() + 2), 8, out.span_id.begin());
  out.value = cell.value.load(std::memory_order_relaxed);
  out.time = wall_from_us(cell.time_us.load(std::memory_order_relaxed));
  std::atomic_thread_fence(std::memory_order_acquire);
  if (cell.version.load(std::memory_order_relaxed) != version) return std::nullopt;
  return out;
}

const std::vector<double>& latency_bounds() {
  static const std::vector<double> bounds{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .075,
                                          .1,    .25,    .5,    .75,  1,     2.5,  5,   7.5,  10};
  return bounds;
}

void observe_duration(Histogram& histogram, Duration duration, const TraceContext& trace, const Clock& clock) noexcept {
  if (!trace.sampled()) return histogram.observe(to_seconds(duration));
  histogram.observe(to_seconds(duration), trace, clock.wall());
}

}  // namespace weft::observe
