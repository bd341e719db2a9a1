// The spans of one trace, from many processes, as a tree that people can read. Pure.
#pragma once
#include <string>
#include <vector>

#include "weft/peer/spans.hpp"

namespace weft::cli {

struct TracedSpan {
  std::string process;  ///< "echo@alpha", "cli"
  peer::SpanInfo span;
};

/// One row: a call with what its callee says of it, or any other span.
struct TraceRow {
  std::size_t level = 0;
  std::string name, where, outcome;
  Duration total{}, wire{}, queue{}, handler{};
  bool has_wire = false, has_handler = false;
};

/// Children below what they are part of, in the order in which they began. A span whose parent is unknown stands on its
/// own, so that nothing is left out.
std::vector<TraceRow> trace_rows(const std::vector<TracedSpan>& spans);
/// True when a call that was answered has no span of its callee yet.
bool misses_callee(const std::vector<TracedSpan>& spans);
/// "850us", "12.3ms", "1.20s": three digits that matter.
std::string short_duration(Duration duration);

}  // namespace weft::cli
