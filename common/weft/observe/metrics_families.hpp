// The families of cells behind Metrics. Private to observe.
#pragma once
#include <prometheus/metric_family.h>

#include "weft/observe/observe.hpp"
#include "weft/observe/openmetrics.hpp"

namespace weft::observe {

class Families {
 public:
  static constexpr std::string_view kOverflowMetric = "weft_series_overflow_total";

  explicit Families(std::size_t series_max) : series_max_(series_max) {}
  // A name that is none, a counter without _total, one name for two types: a bug of the caller, throws.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels);
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels);
  void remove_gauge(std::string_view name, Labels labels);
  Gauge& mirrored_counter(std::string_view name, std::string_view help, const Labels& labels);
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels);
  /// In order of name, then of labels.
  std::vector<prometheus::MetricFamily> collect() const;
  /// Of the histograms that have any, in the order of collect().
  Exemplars exemplars() const;

 private:
  struct Family {  // only the cells of its type
    prometheus::MetricType type;
    std::string help;
    std::map<Labels, Counter> counters;
    std::map<Labels, Gauge> gauges, mirrored;
    std::map<Labels, Histogram> histograms;
  };
  Family& family(std::string_view name, std::string_view help, prometheus::MetricType type);
  template <class Cell, class... Args>
  Cell& cell(std::string_view name, std::string_view help, prometheus::MetricType type, const Labels& labels,
             std::map<Labels, Cell> Family::*cells, const Args&... args);

  std::map<std::string, Family, std::less<>> families_;
  std::size_t series_max_;
};

}  // namespace weft::observe
