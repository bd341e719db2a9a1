#include "weft/program/program.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "weft/base/throw_trace.hpp"
#include "weft/program/crash_handler.hpp"
#include "weft/program/file_limit.hpp"
#include "weft/program/settings.hpp"
#include "weft/program/tracing.hpp"
#include "weft/program/watchdog.hpp"

namespace weft::program {

namespace {

constexpr Duration kLogCheck = 1s;

/// What a supervisor said in `variable` to this process alone, not to what it starts. Empty: nothing.
std::string take_variable(const char* variable) {
  const char* value = std::getenv(variable);
  std::string taken = value ? value : "";
  ::unsetenv(variable);
  return taken;
}

}  // namespace

struct Program::Impl {
  Impl(About about, Flags flags, config::LoadOptions load_from, config::Config config, const std::string& log_file)
      : about_(std::move(about)),
        flags_(std::move(flags)),
        load_from_(std::move(load_from)),
        config_(std::move(config)),
        log_(log_options(config_, load_from_.agent, about_.version)) {
    observe::add_process_metrics(metrics_, about_.version);
    count_log_lines();
    if (!log_file.empty()) follow_log_file(log_file);
    reloaded(true);
    for (const auto& warning : config_.warnings()) log_.warn("configuration", {{"warning", warning}});
  }

  void count_log_lines() {
    for (std::size_t i = 0; i < 6; ++i) {
      const auto level = to_string(static_cast<observe::Level>(i));
      auto& cell = metrics_.mirrored_counter("weft_log_lines_total", "Lines of the log, suppressed ones included.",
                                             {{"level", std::string(level)}});
      metrics_.on_collect([this, i, &cell] { cell.set(static_cast<double>(log_.lines()[i])); });
    }
  }

  /// The file may be renamed or removed, and a process that logs nothing may still write to stderr.
  void follow_log_file(const std::string& file) {
    log_.follow_file(file);
    if (!log_.file_state().followed) return;
    auto& reopened = metrics_.mirrored_counter("weft_log_reopened_total",
                                               "Times that the log file was opened again after a rotation.");
    auto& attached = metrics_.gauge("weft_log_file_open", "1: lines go to the log file; 0: it cannot be opened again.");
    metrics_.on_collect([this, &reopened, &attached] {
      const auto state = log_.file_state();
      reopened.set(static_cast<double>(state.reopened));
      attached.set(state.attached ? 1 : 0);
    });
    check_log_file();
  }
  void check_log_file() {
    log_.check_file();
    log_check_.start(kLogCheck, [this] { check_log_file(); });
  }

  // ---- signals

  void on_signal(int number) {
    if (number == SIGHUP) {
      log_.check_file();
      return reload();
    }
    if (stopping_) {
      log_.warn("a second signal: exit at once", {{"signal", ::strsignal(number)}});
      if (at_abrupt_end_) at_abrupt_end_();
      std::_Exit(128 + number);
    }
    log_.info("stopping", {{"signal", ::strsignal(number)}});
    stop(exit_code::ok);
  }

  void reloaded(bool good) {
    metrics_.gauge("weft_config_last_reload_successful", "1: the last load of the configuration was good.").set(good);
    auto& time = metrics_.gauge("weft_config_last_reload_success_timestamp_seconds",
                                "When the configuration was last loaded without a mistake, in Unix time.");
    if (good) time.set(static_cast<double>(to_us(loop_.clock().wall())) * 1e-6);
  }

  /// All or nothing.
  void reload() {
    if (stopping_) return;
    load_from_.directory = config::find_directory(flags_.config_dir);
    auto loaded = config::load(load_from_);
    for (const auto& mistake : loaded.mistakes())
      log_.error("the new configuration is wrong; the old one stays", {{"mistake", mistake.describe()}});
    if (!loaded.ok()) return reloaded(false);
    auto fresh = std::move(loaded).config();
    try {
      for (const auto& tell : on_reload_) tell(fresh);
    } catch (const std::exception& failure) {
      log_.error("the new configuration was refused; the old one stays", {{"why", failure.what()}});
      return reloaded(false);
    }
    config_ = std::move(fresh);
    log_.set_level(config_.get<observe::Level>("log.level"));
    reloaded(true);
    log_.info("configuration loaded anew", {{"config_hash", config_.hash()}});
  }

  // ---- the end

  void stop(int code) {
    if (std::exchange(stopping_, true)) {
      if (exit_ == exit_code::ok) exit_ = code;
      return;
    }
    exit_ = code;
    notifier_.send("STOPPING=1");
    health_.set("draining", false, "the process is stopping");
    if (running_) begin_drain();
  }

  void begin_drain() {
    drain_deadline_.start(budget_, [this] {
      log_.warn("draining took too long", {{"budget", to_text(budget_)}});
      loop_.stop();
    });
    draining_.spawn(drain_all(loop_.now() + budget_), [this](std::exception_ptr failure) {
      if (failure) log_.error("draining failed", {{"why", what_of(failure).text}});
      loop_.stop();
    });
  }

  Task<void> drain_all(TimePoint end) {
    if (drain_) co_await drain_();
    co_await tracing_.flush(end - loop_.now());
  }

  int run(std::function<Task<void>()> how, Duration within) {
    drain_ = std::move(how);
    budget_ = within;
    running_ = true;
    if (stopping_) begin_drain();
    try {
      loop_.run();
    } catch (...) {
      record_exception(std::current_exception());
      log_.write(observe::Level::fatal, "a bug ends the process",
                 {{"code", codes::bug.id}, {"why", what_of(std::current_exception()).text}});
      exit_ = exit_code::internal;
    }
    running_ = false;
    drain_deadline_.stop();
    draining_.cancel_all();
    drain_ = nullptr;
    log_.info("stopped", {{"exit_code", exit_}});
    return exit_;
  }

  // ---- the admin door

  Value info() const {
    Value out = Value::Map{{"agent", load_from_.agent},
                           {"version", about_.version},
                           {"host", config_.at("host.name")},
                           {"mesh", config_.at("mesh.name")},
                           {"environment", flags_.environment},
                           {"pid", ::getpid()},
                           {"config_hash", config_.hash()},
                           {"started", to_rfc3339(started_)},
                           {"uptime_seconds", to_seconds(loop_.now() - began_)}};
    for (const auto& more : on_info_) {
      auto facts = more();
      if (!facts.is_map()) continue;
      for (auto& [key, value] : facts.as_map()) out.set(key, std::move(value));
    }
    return out;
  }

  std::string bind_address() const {
    const auto bind = config_.get<std::string>("admin.bind");
    return bind == "any" ? "0.0.0.0" : bind == "host" ? config_.get<std::string>("host.address") : "127.0.0.1";
  }

  Result<observe::Admin*> open_admin() {
    const auto port = config_.get<std::uint16_t>("admin.port");
    auto hosts = config_.get<std::vector<std::string>>("admin.hosts");
    hosts.push_back(config_.get<std::string>("host.name"));
    hosts.push_back(config_.get<std::string>("host.address"));
    auto opened = observe::Admin::open(
        loop_, bind_address(), port, metrics_, health_, [this] { return info(); }, std::move(hosts));
    if (!opened) {
      auto error = opened.error();
      const bool taken = error.is(codes::port_taken);
      const auto key = taken ? "admin.port" : config_.at("admin.bind").is("host") ? "host.address" : "admin.bind";
      error.message = "admin door: " + error.message + "; " + key + " is set by " + config_.origin(key).where();
      return error;
    }
    admin_ = std::move(*opened);
    return admin_.get();
  }

  const About about_;
  const Flags flags_;
  config::LoadOptions load_from_;
  config::Config config_;
  io::IoLoop loop_;
  const WallTime started_ = loop_.clock().wall();
  const TimePoint began_ = loop_.now();
  observe::Log log_;
  Timer log_check_{loop_};
  observe::Metrics metrics_;
  observe::Health health_;
  Random random_ = Random::from_os();
  Tracing tracing_{
      loop_, observe::otlp_settings(variables("OTEL_"), trace_resource(config_, load_from_.agent, about_.version)),
      random_, metrics_, log_};
  std::function<void()> at_abrupt_end_;
  std::vector<std::function<Value()>> on_info_;
  std::vector<std::function<void(const config::Config&)>> on_reload_;
  std::unique_ptr<observe::Admin> admin_;
  io::Notifier notifier_{loop_};
  Watchdog watchdog_{loop_, notifier_};

  bool running_ = false, stopping_ = false;
  int exit_ = exit_code::ok;
  std::function<Task<void>()> drain_;
  Duration budget_{};
  Timer drain_deadline_{loop_};
  TaskScope draining_;
  io::Signals signals_{loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int number) { on_signal(number); }};
};

namespace {

/// What --check answers, and why a process with a wrong configuration does not start.
int tell(const config::Loaded& loaded, bool check) {
  for (const auto& mistake : loaded.mistakes()) std::fprintf(stderr, "%s\n", mistake.describe().c_str());
  if (!loaded.ok()) return exit_code::config;
  if (check) {
    for (const auto& warning : loaded.config().warnings()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    std::puts("configuration ok");
  }
  return exit_code::ok;
}

}  // namespace

std::variant<std::unique_ptr<Program>, int> Program::start(int argc, char** argv, About about) {
  if (const auto file = take_variable("WEFT_CRASH_FILE"); !file.empty()) install_crash_handler(file);
  const auto log_file = take_variable("WEFT_LOG_FILE");
  auto parsed = parse_flags(argc, argv, about);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  auto& flags = std::get<Flags>(parsed);
  auto options = load_options(flags, about);
  auto loaded = config::load(options);
  const int code = tell(loaded, flags.check);
  if (flags.check || code != exit_code::ok) return code;
  raise_file_limit();
  keep_throw_traces();
  std::signal(SIGPIPE, SIG_IGN);  // who read our log may go; that is no reason to go too
  return std::unique_ptr<Program>(new Program(std::make_unique<Impl>(
      std::move(about), std::move(flags), std::move(options), std::move(loaded).config(), log_file)));
}

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::~Program() = default;

const std::string& Program::agent() const noexcept { return impl_->load_from_.agent; }
const std::string& Program::version() const noexcept { return impl_->about_.version; }
const std::string& Program::environment() const noexcept { return impl_->flags_.environment; }
const config::Config& Program::config() const noexcept { return impl_->config_; }
io::IoLoop& Program::loop() noexcept { return impl_->loop_; }
observe::Log& Program::log() noexcept { return impl_->log_; }
observe::Metrics& Program::metrics() noexcept { return impl_->metrics_; }
observe::Health& Program::health() noexcept { return impl_->health_; }
observe::Tracer& Program::tracer() noexcept { return impl_->tracing_.tracer(); }
Random& Program::random() noexcept { return impl_->random_; }
Result<observe::Admin*> Program::open_admin() { return impl_->open_admin(); }

std::string Program::admin_address() const {
  if (!impl_->admin_) return {};
  const bool loopback = impl_->config_.at("admin.bind").is("loopback");
  const auto address = loopback ? std::string("127.0.0.1") : impl_->config_.get<std::string>("host.address");
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(impl_->admin_->port());
}

void Program::on_info(std::function<Value()> more) { impl_->on_info_.push_back(std::move(more)); }
void Program::on_reload(std::function<void(const config::Config&)> reload) {
  impl_->on_reload_.push_back(std::move(reload));
}
int Program::run(std::function<Task<void>()> drain, Duration budget) { return impl_->run(std::move(drain), budget); }

void Program::at_abrupt_end(std::function<void()> work) { impl_->at_abrupt_end_ = std::move(work); }

void Program::ready() {
  impl_->health_.set_started();
  impl_->notifier_.send("READY=1");
  impl_->log_.info("ready", {{"config_hash", impl_->config_.hash()}, {"admin", admin_address()}});
}

void Program::quit(int exit_code) { impl_->stop(exit_code); }

}  // namespace weft::program
