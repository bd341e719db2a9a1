// The JSON encoding of OTLP: opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Pure. Private to observe.
#pragma once
#include <span>

#include "weft/observe/otlp.hpp"

namespace weft::observe {

/// An ExportTraceServiceRequest. `names` knows the numbers in `spans`; `clock` relates their time to the time of day.
std::string otlp_json(std::span<const Span> spans, const Tracer& names, const Attributes& resource, const Clock& clock);
/// `rejectedSpans` of an answer; 0 where it has none. `message` is what the collector says about it.
std::uint64_t rejected_spans(const std::string& answer, std::string& message);

}  // namespace weft::observe
