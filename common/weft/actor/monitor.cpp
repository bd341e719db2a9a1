#include "weft/actor/monitor.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <utility>

#include "weft/base/utf8.hpp"

namespace weft::actor {
namespace {

void cut(std::string& text) noexcept { text.resize(utf8::cut(text, MonitorEvent::kTextMax).size()); }

void cut(MonitorEvent& event) noexcept {
  cut(event.name);
  if (event.fields.size() > MonitorEvent::kFieldsMax) event.fields.resize(MonitorEvent::kFieldsMax);
  for (auto& field : event.fields) cut(field.value);
}

}  // namespace

std::string_view to_string(Family family) noexcept {
  constexpr auto names = std::to_array<std::string_view>({"supervision", "actor", "system", "dispatch", "mailbox"});
  static_assert(names.size() == kFamilyCount);
  return names[static_cast<std::size_t>(family)];
}

std::string_view to_string(Level level) noexcept {
  constexpr auto names = std::to_array<std::string_view>({"trace", "debug", "info", "warning", "error", "critical"});
  static_assert(names.size() == kLevelCount);
  return names[static_cast<std::size_t>(level)];
}

std::string describe(const MonitorEvent& event) {
  std::string line = std::string(to_string(event.level)) + " " + std::string(to_string(event.family)) + " " +
                     std::string(event.kind) + ": ";
  line += event.name.empty() ? std::to_string(event.actor) : "'" + event.name + "'";
  for (const auto& [key, value] : event.fields) {
    if (key != "stack") line += ", " + std::string(key) + ": " + value;
  }
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return line;
}

void PrintingMonitor::record(MonitorEvent event) noexcept {
  if (!wants(event.level)) return;
  cut(event);
  const std::string line = describe(event) + "\n";
  std::fwrite(line.data(), 1, line.size(), stream_);  // locks the stream: lines do not mix
}

struct RecordingMonitor::State {
  explicit State(Options options) : from(options.from), ring_size(options.ring), ring(options.ring) {}

  std::uint64_t total() const { return std::accumulate(totals.begin(), totals.end(), std::uint64_t{0}); }

  std::atomic<Level> from;
  const std::size_t ring_size;
  mutable std::mutex mutex{};  ///< guards all below
  std::array<std::uint64_t, 6> totals{};
  std::vector<MonitorEvent> ring;
  std::size_t next = 0;  ///< where the next event goes: the oldest, once the ring is full
};

RecordingMonitor::RecordingMonitor(Options options) : state_(std::make_unique<State>(options)) {}
RecordingMonitor::~RecordingMonitor() = default;

bool RecordingMonitor::wants(Level level) const noexcept {
  return level >= state_->from.load(std::memory_order_relaxed);
}

void RecordingMonitor::record(MonitorEvent event) noexcept {
  if (!wants(event.level)) return;
  cut(event);
  const std::lock_guard lock(state_->mutex);
  ++state_->totals[static_cast<std::size_t>(event.level)];
  if (state_->ring_size == 0) return;
  std::swap(state_->ring[state_->next], event);  // the memory of the old one is freed after the lock
  state_->next = (state_->next + 1) % state_->ring_size;
}

RecordingMonitor::Snapshot RecordingMonitor::snapshot() const {
  Snapshot result;
  result.latest.reserve(state_->ring_size);
  const std::lock_guard lock(state_->mutex);
  const auto& ring = state_->ring;
  result.totals = state_->totals;
  result.total = state_->total();
  const auto split = ring.begin() + static_cast<std::ptrdiff_t>(state_->next);
  if (result.total >= ring.size()) result.latest.assign(split, ring.end());
  result.latest.insert(result.latest.end(), ring.begin(), split);
  return result;
}

void RecordingMonitor::reset() {
  std::vector<MonitorEvent> empty(state_->ring_size);
  const std::lock_guard lock(state_->mutex);
  state_->ring.swap(empty);
  state_->totals = {};
  state_->next = 0;
}

void RecordingMonitor::from(Level level) noexcept { state_->from.store(level, std::memory_order_relaxed); }

}  // namespace weft::actor
