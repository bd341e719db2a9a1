// Monitors: where the runtime reports what happens in it. The no-op monitor costs nothing; the recording one keeps
// totals and the latest events. Crash reports go here, not into the restart path.
#pragma once
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::actor {

enum class Family : std::uint8_t { supervision, actor, system, dispatch, mailbox };
inline constexpr std::size_t kFamilyCount = static_cast<std::size_t>(Family::mailbox) + 1;
enum class Level : std::uint8_t { trace, debug, info, warning, error, critical };
inline constexpr std::size_t kLevelCount = static_cast<std::size_t>(Level::critical) + 1;
std::string_view to_string(Family family) noexcept;
std::string_view to_string(Level level) noexcept;

/// One thing that happened. A value.
struct MonitorEvent {
  static constexpr std::size_t kFieldsMax = 8, kTextMax = 256;  ///< what is longer is cut
  struct Field {
    std::string_view key;  ///< a constant
    std::string value;
  };
  TimePoint time{};
  Family family = Family::actor;
  Level level = Level::info;
  std::string_view kind;  ///< a constant: "restarted", "gave_up", "dead_letter"
  std::uint64_t actor = 0;
  std::string name;  ///< of the actor, or empty
  std::vector<Field> fields;
};

/// An interface. Thread-safe: every worker reports to it.
class Monitor {
 public:
  virtual ~Monitor() = default;
  /// Asked before an event is put together. Never blocks.
  virtual bool wants(Level level) const noexcept = 0;
  /// Short: it runs in the turn of the actor that it is about.
  virtual void record(MonitorEvent event) noexcept = 0;
};

/// Keeps nothing. The default: exceptions are not reported anywhere.
class NoMonitor final : public Monitor {
 public:
  bool wants(Level) const noexcept override { return false; }
  void record(MonitorEvent) noexcept override {}
};

/// One line: "error actor failed: 'workers/0', what: out of range, type: Worker, restarts: 0".
std::string describe(const MonitorEvent& event);

/// Prints a line for each event: for programs without another place for reports. Thread-safe; blocks while `stream`
/// does.
class PrintingMonitor final : public Monitor {
 public:
  /// Borrows `stream`.
  explicit PrintingMonitor(Level from = Level::info, std::FILE* stream = stderr) noexcept
      : from_(from), stream_(stream) {}
  bool wants(Level level) const noexcept override { return level >= from_; }
  void record(MonitorEvent event) noexcept override;

 private:
  const Level from_;
  std::FILE* const stream_;
};

/// Totals per level and a ring of the latest events. Thread-safe.
class RecordingMonitor final : public Monitor {
 public:
  struct Options {
    std::size_t ring = 1000;
    Level from = Level::trace;  ///< what is below is neither counted nor kept
  };
  struct Snapshot {
    std::array<std::uint64_t, 6> totals{};  ///< by Level
    std::uint64_t total = 0;                ///< their sum
    std::vector<MonitorEvent> latest;       ///< oldest first
  };
  RecordingMonitor() : RecordingMonitor(Options{}) {}
  explicit RecordingMonitor(Options options);
  ~RecordingMonitor() override;

  bool wants(Level level) const noexcept override;
  void record(MonitorEvent event) noexcept override;
  /// One moment of the whole: the ring's newest event is the one that made `total` what it is. Writers wait meanwhile,
  /// some 80 us for a ring of 1000.
  Snapshot snapshot() const;
  void reset();
  void from(Level level) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::actor
