// The door of observe: structured log, metrics, health, and the admin HTTP door of a process.
#pragma once
#include <array>
#include <atomic>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/io/io.hpp"
#include "weft/observe/span.hpp"

namespace weft::observe {

// ---- log

enum class Level : std::uint8_t { trace, debug, info, warn, error, fatal };
inline constexpr std::size_t kLevelCount = static_cast<std::size_t>(Level::fatal) + 1;
std::string_view to_string(Level level) noexcept;
Result<Level> from_text(std::string_view name, std::type_identity<Level>);

using Fields = std::initializer_list<std::pair<std::string_view, Value>>;

struct LogOptions {
  Level level = Level::info;
  enum class Format : std::uint8_t {
    automatic,
    json,
    text
  } format = Format::automatic;                        ///< automatic: text on a terminal
  std::string agent{}, instance{}, host{}, version{};  ///< in every line
};

/// Writes to stderr, one line a record: JSON (config/schema/log-line.schema.json) or text. `msg` is
/// constant text, what varies goes into fields. The same msg at the same level more than 20 times in 10 s is
/// suppressed, then told with its count. Thread-safe.
class Log {
 public:
  explicit Log(LogOptions options);
  /// Writes to `write` instead of stderr; for tests.
  Log(LogOptions options, const Clock& clock, std::function<void(std::string_view line)> write);
  ~Log();
  bool enabled(Level level) const noexcept;
  void set_level(Level level) noexcept;
  void set_instance(std::string instance);
  void write(Level level, std::string_view msg, Fields fields = {});
  void debug(std::string_view msg, Fields fields = {}) { write(Level::debug, msg, fields); }
  void info(std::string_view msg, Fields fields = {}) { write(Level::info, msg, fields); }
  void warn(std::string_view msg, Fields fields = {}) { write(Level::warn, msg, fields); }
  void error(std::string_view msg, Fields fields = {}) { write(Level::error, msg, fields); }
  /// With code, message and hint of the error as fields.
  void error(std::string_view msg, const Error& cause, Fields fields = {});
  /// Lines written so far by level, suppressed ones included.
  std::array<std::uint64_t, 6> lines() const noexcept;

  /// The state of the file that follow_file() named.
  struct FileState {
    bool followed = false;       ///< stderr appends to that file, so renames and removals are noticed
    bool attached = true;        ///< false: the file could not be opened again; lines go to the former one
    std::uint64_t reopened = 0;  ///< how often a new file was opened
  };
  /// Says that stderr, and stdout where it is the same, appends to the file `path`. From now on each line is written to
  /// the file that has this name: one that was renamed or removed is opened again before the next line. No effect where
  /// stderr is another file.
  void follow_file(std::string path);
  /// Does what the next line would do, for what others write to stderr.
  void check_file();
  FileState file_state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- metrics: cells that one thread writes at a time, without a lock; rendered through prometheus-cpp when scraped

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(value() + n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double by) noexcept { set(value() + by); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};
/// One observation whose trace can be looked at.
struct Exemplar {
  TraceId trace_id{};
  SpanId span_id{};
  double value = 0;
  WallTime time{};
};
class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds);
  ~Histogram();
  void observe(double value) noexcept { (void)count_in(value); }
  /// Keeps it as the exemplar of its bucket, too; for traces that are exported (SpanContext::sampled()).
  void observe(double value, const SpanContext& trace, WallTime time) noexcept;
  /// The last of its bucket. Thread-safe; none, too, while it is being written.
  std::optional<Exemplar> exemplar(std::size_t bucket) const noexcept;
  const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Not cumulative; `bucket` 0 to bounds().size(), which is above the last bound.
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum() const noexcept { return sum_.value(); }

 private:
  struct Cell;
  std::size_t count_in(double value) noexcept;
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  Gauge sum_;
  std::atomic<Cell*> exemplars_{nullptr};  // one a bucket, owned; made by the first
};
/// Observes `duration` in seconds, with an exemplar where the trace is sampled.
void observe_duration(Histogram& histogram, Duration duration, const TraceContext& trace, const Clock& clock) noexcept;
/// Latency in seconds: 100 us to 10 s.
const std::vector<double>& latency_bounds();

/// Owns every cell; a cell lives as long as this. A family holds at most `series_max` label sets: what comes later
/// shares one series whose label values are "_overflow", and weft_series_overflow_total counts it. Thread-safe, but for
/// collectors, which run on the thread that renders.
class Metrics {
 public:
  explicit Metrics(std::size_t series_max = 1000);
  ~Metrics();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels = {});
  /// A counter that somebody else keeps, in fractions too (seconds of CPU): set() it in on_collect().
  Gauge& mirrored_counter(std::string_view name, std::string_view help, const Labels& labels = {});
  /// Removes one series, as when what its labels name no longer exists. No reference to its cell may be used
  /// afterwards.
  void remove_gauge(std::string_view name, const Labels& labels);
  /// Runs before each rendering; for values that are cheaper to read than to keep.
  void on_collect(std::function<void()> collect);
  enum class Format : std::uint8_t { text, openmetrics };
  std::string render(Format format);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
/// weft_build_info and process_* (CPU, memory, descriptors, start time).
void add_process_metrics(Metrics& metrics, std::string_view version);

// ---- health

/// Named checks of one process, each with its state. Loop-bound.
class Health {
 public:
  /// `warn`: it works, but a person should look. `critical`: it should get no work.
  enum Status : std::uint8_t { pass, warn, critical };
  /// The check that is what a process says of itself; its text is shown without a name.
  static constexpr std::string_view kOwnWord = "agent";
  struct Check {
    bool ok = false;  ///< not critical
    std::string text;
    Status status = critical;
  };
  void set(const std::string& check, bool ok, std::string text = {});
  void set(const std::string& check, Status status, std::string text = {});
  /// Called after each change of a check's state or text. One at a time; an empty one ends it.
  void on_change(std::function<void(const std::string& name, const Check& check)> changed) {
    changed_ = std::move(changed);
  }
  /// The worst state of all checks but those in `except`, and the texts of the checks that are in it ("disk: full; db:
  /// no answer").
  Check worst(std::span<const std::string_view> except = {}) const;
  void set_started() noexcept { started_ = true; }
  bool started() const noexcept { return started_; }
  bool ready() const noexcept;  ///< started, and no check is critical
  const std::map<std::string, Check>& checks() const noexcept { return checks_; }

 private:
  std::map<std::string, Check> checks_;
  std::function<void(const std::string&, const Check&)> changed_;
  bool started_ = false;
};

// ---- the admin door

/// /livez /readyz /startupz /healthz /metrics /info (and what get() adds) on the loop. Loop-bound.
class Admin {
 public:
  /// Borrows all but `hosts`, which are HttpServer::Limits::hosts. `info` fills the body of /info. Errors:
  /// `port_taken`, `bad_address`.
  static Result<std::unique_ptr<Admin>> open(io::IoLoop& loop, const std::string& address, std::uint16_t port,
                                             Metrics& metrics, const Health& health, std::function<Value()> info,
                                             std::vector<std::string> hosts = {});
  void get(std::string path, io::HttpServer::Handler handler) { server_->get(std::move(path), std::move(handler)); }
  std::uint16_t port() const noexcept { return server_->port(); }

 private:
  explicit Admin(std::unique_ptr<io::HttpServer> server) : server_(std::move(server)) {}
  std::unique_ptr<io::HttpServer> server_;
};

}  // namespace weft::observe
