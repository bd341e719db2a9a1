// OpenMetrics 1.0.0 text (github.com/OpenObservability/OpenMetrics), which prometheus-cpp does not write. Private to
// observe.
#pragma once
#include <prometheus/metric_family.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/observe/observe.hpp"

namespace weft::observe {

/// By name of the family and position of the metric in it: one a bucket.
using Exemplars = std::map<std::pair<std::string, std::size_t>, std::vector<std::optional<Exemplar>>>;
std::string to_openmetrics(const std::vector<prometheus::MetricFamily>& families, const Exemplars& exemplars = {});
/// True when an Accept header likes OpenMetrics 1.0.0 at least as much as plain text.
bool wants_openmetrics(std::string_view accept);

}  // namespace weft::observe
