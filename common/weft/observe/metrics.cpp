// Metrics: the cells, in families ordered by name, and their way into prometheus-cpp's types.
#include "weft/observe/metrics_families.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include "weft/observe/openmetrics.hpp"

namespace weft::observe {
namespace {

constexpr std::string_view kOverflow = "_overflow";

[[noreturn]] void bug(std::string_view name, std::string_view why) {
  throw std::logic_error("metric '" + std::string(name) + "': " + std::string(why));
}

bool is_word(std::string_view text, std::string_view extra) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           extra.find(c) != std::string_view::npos;
  });
}

void check_names(std::string_view name, prometheus::MetricType type, const Labels& labels) {
  if (!is_word(name, ":")) bug(name, "is no metric name");
  if (type == prometheus::MetricType::Counter && !name.ends_with("_total")) bug(name, "a counter ends in _total");
  for (const auto& [label, value] : labels) {
    if (!is_word(label, "") || label.starts_with("__") || label == "le") bug(name, "'" + label + "' is no label name");
  }
}

}  // namespace

Families::Family& Families::family(std::string_view name, std::string_view help, prometheus::MetricType type) {
  const auto found = families_.find(name);
  if (found == families_.end())
    return families_.emplace(std::string(name), Family{type, std::string(help), {}, {}, {}, {}}).first->second;
  if (found->second.type != type) bug(name, "is another type of metric already");
  return found->second;
}

template <class Cell, class... Args>
Cell& Families::cell(std::string_view name, std::string_view help, prometheus::MetricType type, const Labels& labels,
                     std::map<Labels, Cell> Family::*cells, const Args&... args) {
  Labels sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  auto& held = family(name, help, type).*cells;
  const auto found = held.find(sorted);
  if (found != held.end()) return found->second;
  check_names(name, type, sorted);
  if (held.size() >= series_max_ && !sorted.empty() && name != kOverflowMetric) {
    counter(kOverflowMetric, "Uses of series that were one too many and went to the series _overflow.",
            {{"metric", std::string(name)}})
        .add();
    for (auto& [label, value] : sorted) value = kOverflow;
  }
  return held.try_emplace(std::move(sorted), args...).first->second;
}

Counter& Families::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return cell(name, help, prometheus::MetricType::Counter, labels, &Family::counters);
}
Gauge& Families::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return cell(name, help, prometheus::MetricType::Gauge, labels, &Family::gauges);
}
void Families::remove_gauge(std::string_view name, Labels labels) {
  std::sort(labels.begin(), labels.end());
  if (const auto found = families_.find(name); found != families_.end()) found->second.gauges.erase(labels);
}
Gauge& Families::mirrored_counter(std::string_view name, std::string_view help, const Labels& labels) {
  return cell(name, help, prometheus::MetricType::Counter, labels, &Family::mirrored);
}
Histogram& Families::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                               const Labels& labels) {
  if (std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) != bounds.end())
    bug(name, "bounds must grow");
  return cell(name, help, prometheus::MetricType::Histogram, labels, &Family::histograms, bounds);
}

namespace {

prometheus::ClientMetric labelled(const Labels& labels) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : labels) out.label.push_back({name, value});
  return out;
}

prometheus::ClientMetric::Histogram snapshot(const Histogram& cell) {
  prometheus::ClientMetric::Histogram out;
  for (std::size_t i = 0; i <= cell.bounds().size(); ++i) {
    out.sample_count += cell.count(i);
    const bool last = i == cell.bounds().size();
    out.bucket.push_back({out.sample_count, last ? std::numeric_limits<double>::infinity() : cell.bounds()[i]});
  }
  out.sample_sum = cell.sum();
  return out;
}

}  // namespace

std::vector<prometheus::MetricFamily> Families::collect() const {
  std::vector<prometheus::MetricFamily> out;
  for (const auto& [name, family] : families_) {
    prometheus::MetricFamily into{name, family.help, family.type, {}};
    for (const auto& [labels, cell] : family.counters)
      into.metric.emplace_back(labelled(labels)).counter.value = static_cast<double>(cell.value());
    for (const auto& [labels, cell] : family.mirrored)
      into.metric.emplace_back(labelled(labels)).counter.value = cell.value();
    for (const auto& [labels, cell] : family.gauges)
      into.metric.emplace_back(labelled(labels)).gauge.value = cell.value();
    for (const auto& [labels, cell] : family.histograms)
      into.metric.emplace_back(labelled(labels)).histogram = snapshot(cell);
    out.push_back(std::move(into));
  }
  return out;
}

Exemplars Families::exemplars() const {
  Exemplars out;
  for (const auto& [name, family] : families_) {
    std::size_t position = 0;
    for (const auto& [labels, cell] : family.histograms) {
      std::vector<std::optional<Exemplar>> all;
      for (std::size_t bucket = 0; bucket <= cell.bounds().size(); ++bucket) all.push_back(cell.exemplar(bucket));
      if (std::any_of(all.begin(), all.end(), [](const auto& one) { return one.has_value(); }))
        out.emplace(std::pair(name, position), std::move(all));
      ++position;
    }
  }
  return out;
}

// ---- the door

struct Metrics::Impl {
  explicit Impl(std::size_t series_max) : families_(series_max) {}
  std::mutex mutex_;
  Families families_;  ///< guarded by mutex, but for the values of cells
  std::vector<std::function<void()>> collectors_;
};

Metrics::Metrics(std::size_t series_max) : impl_(std::make_unique<Impl>(series_max)) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->families_.counter(name, help, labels);
}
Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->families_.gauge(name, help, labels);
}
Histogram& Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              const Labels& labels) {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->families_.histogram(name, help, bounds, labels);
}
Gauge& Metrics::mirrored_counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->families_.mirrored_counter(name, help, labels);
}
void Metrics::remove_gauge(std::string_view name, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->families_.remove_gauge(name, labels);
}
void Metrics::on_collect(std::function<void()> collect) { impl_->collectors_.push_back(std::move(collect)); }

std::string Metrics::render(Format format) {
  for (const auto& collect : impl_->collectors_) collect();
  const std::unique_lock lock(impl_->mutex_);
  const auto families = impl_->families_.collect();
  if (format == Format::openmetrics) return to_openmetrics(families, impl_->families_.exemplars());
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace weft::observe
