#include "weft/observe/openmetrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "weft/base/text.hpp"

namespace weft::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

/// Whole numbers below 2^53 without a fraction, else the shortest text that reads back as the same value.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::trunc(value) && std::fabs(value) < 9e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

/// Bounds of buckets are canonical floats: "1.0".
std::string bound(double value) {
  const auto text = number(value);
  return text.find_first_of(".eIN") == std::string::npos ? text + ".0" : text;
}

/// " # {labels} value time"; its labels have 63 characters, of 128 that are allowed.
std::string exemplar_text(const Exemplar& exemplar) {
  return fmt::format(" # {{trace_id=\"{}\",span_id=\"{}\"}} {} {:.3f}", to_hex(exemplar.trace_id),
                     to_hex(exemplar.span_id), number(exemplar.value),
                     static_cast<double>(to_us(exemplar.time)) * 1e-6);
}

struct TextWriter {
  std::string out;
  const Exemplars& exemplars;

  void sample(std::string_view name, const ClientMetric& metric, double value, std::string_view le = {},
              const std::string& more = {}) {
    out += name;
    std::string separator = "{";
    for (const auto& label : metric.label) {
      out += separator + label.name + "=\"" + escaped(label.value) + "\"";
      separator = ",";
    }
    if (!le.empty()) out += separator + "le=\"" + std::string(le) + "\"";
    if (!metric.label.empty() || !le.empty()) out += "}";
    out += " " + number(value) + more + "\n";
  }
  void histogram(const std::string& name, const ClientMetric& metric, std::size_t position) {
    const auto found = exemplars.find(std::pair(name, position));
    for (std::size_t i = 0; i < metric.histogram.bucket.size(); ++i) {
      const auto& bucket = metric.histogram.bucket[i];
      const bool has = found != exemplars.end() && found->second[i];
      sample(name + "_bucket", metric, static_cast<double>(bucket.cumulative_count), bound(bucket.upper_bound),
             has ? exemplar_text(*found->second[i]) : std::string());
    }
    sample(name + "_count", metric, static_cast<double>(metric.histogram.sample_count));
    sample(name + "_sum", metric, metric.histogram.sample_sum);
  }
  void head(std::string_view name, std::string_view type, std::string_view help) {
    out += fmt::format("# TYPE {} {}\n# HELP {} {}\n", name, type, name, escaped(help));
  }
  void family(const prometheus::MetricFamily& family) {
    const std::string_view name = family.name;
    if (family.type == MetricType::Counter) {
      head(name.substr(0, name.size() - std::string_view("_total").size()), "counter", family.help);
      for (const auto& metric : family.metric) sample(name, metric, metric.counter.value);
    } else if (family.type == MetricType::Histogram) {
      head(name, "histogram", family.help);
      for (std::size_t i = 0; i < family.metric.size(); ++i) histogram(family.name, family.metric[i], i);
    } else if (name.ends_with("_info")) {
      head(name.substr(0, name.size() - std::string_view("_info").size()), "info", family.help);
      for (const auto& metric : family.metric) sample(name, metric, metric.gauge.value);
    } else {
      head(name, "gauge", family.help);
      for (const auto& metric : family.metric) sample(name, metric, metric.gauge.value);
    }
  }
};

struct MediaRange {
  std::string_view type, version;
  double quality = 1;
};

MediaRange media_range(std::string_view text) {
  const auto parts = split(text, ';');
  MediaRange out{trimmed(parts.front()), {}};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto part = trimmed(parts[i]);
    if (part.starts_with("version=")) out.version = part.substr(8);
    if (part.starts_with("q=")) std::from_chars(part.data() + 2, part.data() + part.size(), out.quality);
  }
  return out;
}

}  // namespace

std::string to_openmetrics(const std::vector<prometheus::MetricFamily>& families, const Exemplars& exemplars) {
  TextWriter writer{{}, exemplars};
  for (const auto& family : families) writer.family(family);
  return writer.out + "# EOF\n";
}

bool wants_openmetrics(std::string_view accept) {
  double open = 0, plain = 0;
  for (const auto item : split(accept, ',')) {
    const auto range = media_range(item);
    if (range.type == "application/openmetrics-text" && (range.version.empty() || range.version == "1.0.0"))
      open = std::max(open, range.quality);
    if (range.type == "text/plain" || range.type == "text/*" || range.type == "*/*")
      plain = std::max(plain, range.quality);
  }
  return open > 0 && open >= plain;
}

}  // namespace weft::observe
