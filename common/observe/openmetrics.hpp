// OpenMetrics 1.0.0 text (github.com/OpenObservability/OpenMetrics), which prometheus-cpp does not write. Private to
// observe.
#pragma once
#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

namespace weft::observe {

std::string to_openmetrics(const std::vector<prometheus::MetricFamily>& families);
/// True when an Accept header likes OpenMetrics 1.0.0 at least as much as plain text.
bool wants_openmetrics(std::string_view accept);

}  // namespace weft::observe
