// A cursor over the process ids, and differences per process.
#include "agents/sysmon/process_table.hpp"

#include <algorithm>

#include "agents/sysmon/counters.hpp"

namespace weft::sysmon {

namespace {
/// A process names itself, with any bytes it likes.
std::string printable(std::string name) {
  for (char& c : name) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return name;
}
}  // namespace

std::vector<int> ProcessTable::choose(const std::vector<int>& pids) {
  std::erase_if(known_, [&](const auto& entry) { return !std::binary_search(pids.begin(), pids.end(), entry.first); });
  if (pids.size() <= read_max_) return pids;
  const auto from = std::upper_bound(pids.begin(), pids.end(), cursor_);
  std::vector<int> chosen(from,
                          from + std::min<std::ptrdiff_t>(pids.end() - from, static_cast<std::ptrdiff_t>(read_max_)));
  const auto left = read_max_ - chosen.size();
  chosen.insert(chosen.end(), pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(left));
  if (!chosen.empty()) cursor_ = chosen.back();
  return chosen;
}

void ProcessTable::update(ProcessStat process, TimePoint at, double ticks_per_second) {
  auto [entry, is_new] = known_.try_emplace(process.pid);
  Known& known = entry->second;
  const bool same = !is_new && known.last.started == process.started;
  known.cpu = same ? rate(known.last.ticks, process.ticks, to_seconds(at - known.at) * ticks_per_second) : 0;
  known.last = std::move(process);
  known.at = at;
}

std::vector<metrics::Process> ProcessTable::top(std::size_t count, std::uint64_t page_bytes) const {
  std::vector<const Known*> order;
  order.reserve(known_.size());
  for (const auto& [pid, known] : known_) order.push_back(&known);
  const auto wanted = static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), order.begin() + wanted, order.end(), [](const Known* a, const Known* b) {
    return std::tuple(b->cpu, b->last.resident_pages, a->last.pid) <
           std::tuple(a->cpu, a->last.resident_pages, b->last.pid);
  });
  order.resize(static_cast<std::size_t>(wanted));
  std::vector<metrics::Process> top;
  for (const Known* known : order) {
    top.push_back({known->last.pid, printable(known->last.name), std::string(1, known->last.state), known->cpu,
                   known->last.resident_pages * page_bytes});
  }
  return top;
}

}  // namespace weft::sysmon
