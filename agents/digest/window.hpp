// The windows of one series: the last minute exactly, five minutes and an hour in buckets. Pure; time comes with each
// call and never goes back.
#pragma once
#include <array>
#include <deque>

#include "agents/digest/sketch.hpp"
#include "weft/base/base.hpp"

namespace weft::digest {

/// Of the values in a window. Zero `count`: nothing is known, the others are 0.
struct Figures {
  std::uint64_t count = 0;
  double min = 0, mean = 0, p50 = 0, p95 = 0, max = 0;
  WEFT_FIELDS(Figures, count, min, mean, p50, p95, max)
};

/// Exact, of at most `kSamplesMax` values: with more in the span the oldest leave early, as `count` shows.
class ExactWindow {
 public:
  static constexpr std::size_t kSamplesMax = 1024;
  explicit ExactWindow(Duration span) : span_(span) {}
  void add(double value, TimePoint now);
  Figures figures(TimePoint now) const;

 private:
  struct Sample {
    TimePoint at;
    double value;
  };
  Duration span_;
  std::deque<Sample> samples_;
};

/// Count, minimum, mean and maximum are exact, quantiles within kSketchError. It moves on by whole buckets: it covers
/// the last `buckets` of them, the one under way included.
class BucketWindow {
 public:
  BucketWindow(Duration bucket, int buckets) : bucket_(bucket), buckets_(buckets) {}
  void add(double value, TimePoint now);
  Figures figures(TimePoint now) const;

 private:
  struct Bucket {
    std::int64_t number;  // since the clock's zero
    std::uint64_t count = 0;
    double sum = 0, min = 0, max = 0;
    Sketch sketch{};
  };
  std::int64_t number_at(TimePoint now) const noexcept { return now.time_since_epoch() / bucket_; }
  Duration bucket_;
  int buckets_;
  std::deque<Bucket> held_;
};

enum class Span : std::uint8_t { minute, five_minutes, hour };
std::string_view to_string(Span span) noexcept;
/// "1m", "5m", "1h". Errors: `bad_value`.
Result<Span> from_text(std::string_view name, std::type_identity<Span>);

class Series {
 public:
  void add(double value, TimePoint now);
  Figures figures(Span span, TimePoint now) const;
  TimePoint last_at() const noexcept { return last_at_; }

 private:
  ExactWindow minute_{1min};
  BucketWindow five_minutes_{10s, 30};
  BucketWindow hour_{1min, 60};
  TimePoint last_at_{};
};

}  // namespace weft::digest
