// Log: lines made by log_line.cpp, thinned out by repeats.cpp, written by a spdlog sink.
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "weft/observe/log_file.hpp"
#include "weft/observe/log_line.hpp"
#include "weft/observe/repeats.hpp"

namespace weft::observe {
namespace {

class FunctionSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override { write_({msg.payload.data(), msg.payload.size()}); }
  void flush_() override {}
  std::function<void(std::string_view)> write_;
};

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

}  // namespace

struct Log::Impl {
  Impl(LogOptions options, const Clock& clock, spdlog::sink_ptr sink, bool terminal)
      : options_(std::move(options)), clock_(clock), sink_(std::move(sink)), level_(options_.level) {
    text_ =
        options_.format == LogOptions::Format::text || (options_.format == LogOptions::Format::automatic && terminal);
    colour_ = text_ && ((terminal && !is_set("NO_COLOR")) || is_set("CLICOLOR_FORCE"));
    sink_->set_pattern("%v");
    identify();
  }

  void identify() {
    identity_.clear();
    for (const auto& [name, value] : {std::pair{"agent", &options_.agent},
                                      {"instance", &options_.instance},
                                      {"host", &options_.host},
                                      {"version", &options_.version}}) {
      if (!value->empty()) identity_.emplace_back(name, *value);
    }
    identity_.emplace_back("pid", ::getpid());
  }

  using FieldsView = std::span<const std::pair<std::string_view, Value>>;
  void write(Level at, std::string_view msg, FieldsView fields) {
    if (at < level_.load(std::memory_order_relaxed)) return;
    ++lines_[static_cast<std::size_t>(at)];
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    tell_suppressed(now);
    if (repeats_.admit(now, at, msg)) put(at, msg, fields, true);
  }
  /// Before each line, so that one written after a rename goes to the new file.
  void check_file() {
    if (!file_) return;
    const bool was_attached = file_->attached();
    if (file_->follow() || !was_attached) return;
    const std::array<std::pair<std::string_view, Value>, 2> fields{{{"file", file_->path()}, {"why", file_->why()}}};
    emit(Level::error, "the log file cannot be opened again: lines go to the former file", fields, false);
  }
  void put(Level at, std::string_view msg, FieldsView fields, bool traced) {
    check_file();
    emit(at, msg, fields, traced);
  }
  void emit(Level at, std::string_view msg, FieldsView fields, bool traced) {
    const Record record{clock_.wall(), at, msg, fields, traced ? current_trace() : nullptr};
    const auto line = text_ ? text_line(record, colour_) : json_line(record, identity_);
    sink_->log(spdlog::details::log_msg(spdlog::string_view_t(), spdlog::level::info, {line.data(), line.size()}));
  }
  void tell_suppressed(TimePoint now) {
    for (const auto& told : repeats_.over(now)) {
      const std::array<std::pair<std::string_view, Value>, 2> fields{{{"suppressed", told.msg}, {"count", told.count}}};
      put(told.level, "a message that came too often was suppressed", fields, false);
    }
  }

  LogOptions options_;
  const Clock& clock_;
  spdlog::sink_ptr sink_;
  std::atomic<Level> level_;
  std::array<std::atomic<std::uint64_t>, 6> lines_{};
  bool text_ = false, colour_ = false;
  std::mutex mutex_;  // guards the rest, and the sink
  Identity identity_;
  Repeats repeats_;
  std::optional<LogFile> file_;
};

namespace {
const SystemClock kSystemClock;  // without state
}

Log::Log(LogOptions options)
    : impl_(std::make_unique<Impl>(std::move(options), kSystemClock, std::make_shared<spdlog::sinks::stderr_sink_st>(),
                                   ::isatty(STDERR_FILENO) == 1)) {}

Log::Log(LogOptions options, const Clock& clock, std::function<void(std::string_view line)> write)
    : impl_(
          std::make_unique<Impl>(std::move(options), clock, std::make_shared<FunctionSink>(std::move(write)), false)) {}

Log::~Log() {
  const std::lock_guard lock(impl_->mutex_);
  impl_->tell_suppressed(TimePoint::max());
}

bool Log::enabled(Level level) const noexcept { return level >= impl_->level_.load(std::memory_order_relaxed); }

void Log::set_level(Level level) noexcept { impl_->level_ = level; }

void Log::set_instance(std::string instance) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->options_.instance = std::move(instance);
  impl_->identify();
}

void Log::write(Level level, std::string_view msg, Fields fields) {
  impl_->write(level, msg, {fields.begin(), fields.size()});
}

void Log::error(std::string_view msg, const Error& cause, Fields fields) {
  std::vector<std::pair<std::string_view, Value>> all{{"code", cause.code}, {"error", cause.message}};
  if (!cause.hint.empty()) all.emplace_back("hint", cause.hint);
  all.insert(all.end(), fields.begin(), fields.end());
  impl_->write(Level::error, msg, all);
}

void Log::follow_file(std::string path) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->file_.emplace(std::move(path), std::vector<int>{STDERR_FILENO, STDOUT_FILENO});
}

void Log::check_file() {
  const std::lock_guard lock(impl_->mutex_);
  impl_->check_file();
}

Log::FileState Log::file_state() const {
  const std::lock_guard lock(impl_->mutex_);
  if (!impl_->file_) return {};
  return {impl_->file_->followed(), impl_->file_->attached(), impl_->file_->reopened()};
}

std::array<std::uint64_t, 6> Log::lines() const noexcept {
  std::array<std::uint64_t, 6> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = impl_->lines_[i];
  return out;
}

}  // namespace weft::observe
