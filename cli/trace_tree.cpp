#include "cli/trace_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace weft::cli {

namespace {

constexpr std::size_t kLevelsMax = 100;  // a trace comes from other processes: it may be anything

class Tree {
 public:
  explicit Tree(const std::vector<TracedSpan>& spans) {
    std::set<std::string_view> known;
    for (const auto& one : spans) known.insert(one.span.span_id);
    for (const auto& one : spans) {
      const bool below = known.contains(one.span.parent_id) && one.span.parent_id != one.span.span_id;
      children_[below ? std::string_view(one.span.parent_id) : std::string_view()].push_back(&one);
    }
    for (auto& [id, list] : children_) {
      std::stable_sort(list.begin(), list.end(),
                       [](const auto* a, const auto* b) { return a->span.begin_us < b->span.begin_us; });
    }
  }
  std::vector<TraceRow> rows() {
    add_children({}, 0);
    return std::move(rows_);
  }

 private:
  const TracedSpan* callee_of(const TracedSpan& call) const {
    const auto found = children_.find(call.span.span_id);
    if (call.span.kind != "client" || found == children_.end()) return nullptr;
    for (const auto* child : found->second) {
      if (child->span.kind == "server") return child;
    }
    return nullptr;
  }
  void add_children(std::string_view parent, std::size_t level, const TracedSpan* but = nullptr) {
    const auto found = children_.find(parent);
    if (found == children_.end() || level > kLevelsMax) return;
    for (const auto* one : found->second) {
      if (one == but || !seen_.insert(one).second) continue;
      add(*one, level);
    }
  }
  void add(const TracedSpan& one, std::size_t level) {
    const auto* callee = callee_of(one);
    TraceRow row = callee ? call_row(one.span, *callee) : span_row(one);
    row.level = level;
    if (one.span.attempt > 1) row.name += " (attempt " + std::to_string(one.span.attempt) + ")";
    if (one.span.kind == "producer" || one.span.kind == "consumer") row.name += " (" + one.span.kind + ")";
    row.outcome = one.span.error.empty() ? "ok" : one.span.error;
    rows_.push_back(std::move(row));
    if (callee) {
      seen_.insert(callee);
      add_children(callee->span.span_id, level + 1);
    }
    add_children(one.span.span_id, level + 1, callee);
  }
  /// What lies between the two durations was on its way: no clocks of two hosts are compared.
  static TraceRow call_row(const peer::SpanInfo& call, const TracedSpan& callee) {
    TraceRow row;
    row.name = call.name;
    row.where = callee.process;
    row.total = Duration(call.duration_ns);
    row.queue = Duration(callee.span.queue_ns);
    row.handler = Duration(callee.span.duration_ns - callee.span.queue_ns);
    row.wire = Duration(std::max<std::int64_t>(call.duration_ns - callee.span.duration_ns, 0));
    row.has_wire = row.has_handler = true;
    return row;
  }
  static TraceRow span_row(const TracedSpan& one) {
    TraceRow row;
    row.name = one.span.name;
    row.total = Duration(one.span.duration_ns);
    row.has_handler = one.span.kind == "server" || one.span.kind == "consumer";
    row.where = one.span.kind == "client" ? (one.span.peer.empty() ? "nobody" : one.span.peer) : one.process;
    if (row.has_handler) {
      row.queue = Duration(one.span.queue_ns);
      row.handler = row.total - row.queue;
    }
    return row;
  }

  std::map<std::string_view, std::vector<const TracedSpan*>> children_;
  std::set<const TracedSpan*> seen_;
  std::vector<TraceRow> rows_;
};

}  // namespace

std::vector<TraceRow> trace_rows(const std::vector<TracedSpan>& spans) { return Tree(spans).rows(); }

bool misses_callee(const std::vector<TracedSpan>& spans) {
  std::set<std::string_view> parents;
  for (const auto& one : spans) {
    if (one.span.kind == "server") parents.insert(one.span.parent_id);
  }
  return std::any_of(spans.begin(), spans.end(), [&](const TracedSpan& one) {
    return one.span.kind == "client" && one.span.error.empty() && !parents.contains(one.span.span_id);
  });
}

std::string short_duration(Duration duration) {
  const auto ns = static_cast<double>(duration.count());
  const auto [unit, divisor] = ns < 1e6 ? std::pair("us", 1e3) : ns < 1e9 ? std::pair("ms", 1e6) : std::pair("s", 1e9);
  const double value = ns / divisor;
  return fmt::format("{:.{}f}{}", value, value < 10 ? 2 : value < 100 ? 1 : 0, unit);
}

}  // namespace weft::cli
