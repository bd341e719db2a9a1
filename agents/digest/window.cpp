// Sliding over time.
#include "agents/digest/window.hpp"

#include <algorithm>

namespace weft::digest {

void ExactWindow::add(double value, TimePoint now) {
  while (!samples_.empty() && (samples_.size() >= kSamplesMax || samples_.front().at <= now - span_))
    samples_.pop_front();
  samples_.push_back({now, value});
}

Figures ExactWindow::figures(TimePoint now) const {
  std::vector<double> values;
  for (const auto& sample : samples_) {
    if (sample.at > now - span_) values.push_back(sample.value);
  }
  Figures figures;
  if (values.empty()) return figures;
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += value;
  figures.count = values.size();
  figures.min = values.front();
  figures.max = values.back();
  figures.mean = sum / static_cast<double>(values.size());
  figures.p50 = values[rank_of(values.size(), 0.50) - 1];
  figures.p95 = values[rank_of(values.size(), 0.95) - 1];
  return figures;
}

void BucketWindow::add(double value, TimePoint now) {
  const auto number = number_at(now);
  while (!held_.empty() && held_.front().number <= number - buckets_) held_.pop_front();
  if (held_.empty() || held_.back().number < number) held_.push_back({number, 0, 0, value, value});
  Bucket& bucket = held_.back();
  ++bucket.count;
  bucket.sum += value;
  bucket.min = std::min(bucket.min, value);
  bucket.max = std::max(bucket.max, value);
  bucket.sketch.add(value);
}

Figures BucketWindow::figures(TimePoint now) const {
  Figures figures;
  Sketch::Counts counts;
  double sum = 0;
  for (const auto& bucket : held_) {
    if (bucket.number <= number_at(now) - buckets_) continue;
    figures.min = figures.count == 0 ? bucket.min : std::min(figures.min, bucket.min);
    figures.max = figures.count == 0 ? bucket.max : std::max(figures.max, bucket.max);
    figures.count += bucket.count;
    sum += bucket.sum;
    bucket.sketch.add_to(counts);
  }
  if (figures.count == 0) return figures;
  const auto quantile = [&](double q) {
    return std::clamp(quantile_of(counts, figures.count, q), figures.min, figures.max);
  };
  figures.mean = sum / static_cast<double>(figures.count);
  figures.p50 = quantile(0.50);
  figures.p95 = quantile(0.95);
  return figures;
}

std::string_view to_string(Span span) noexcept {
  constexpr std::array<std::string_view, 3> names{"1m", "5m", "1h"};
  return names[static_cast<std::size_t>(span)];
}

Result<Span> from_text(std::string_view name, std::type_identity<Span>) {
  for (const auto span : {Span::minute, Span::five_minutes, Span::hour}) {
    if (to_string(span) == name) return span;
  }
  return Error(codes::bad_value, "window '" + std::string(name) + "': wanted 1m, 5m or 1h");
}

void Series::add(double value, TimePoint now) {
  minute_.add(value, now);
  five_minutes_.add(value, now);
  hour_.add(value, now);
  last_at_ = now;
}

Figures Series::figures(Span span, TimePoint now) const {
  if (span == Span::minute) return minute_.figures(now);
  return span == Span::hour ? hour_.figures(now) : five_minutes_.figures(now);
}

}  // namespace weft::digest
