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
  Impl(About what, Flags told, config::LoadOptions from, config::Config first, const std::string& log_file)
      : about(std::move(what)),
        flags(std::move(told)),
        load_from(std::move(from)),
        config(std::move(first)),
        log(log_options(config, load_from.agent, about.version)) {
    observe::add_process_metrics(metrics, about.version);
    count_log_lines();
    if (!log_file.empty()) follow_log_file(log_file);
    reloaded(true);
    for (const auto& warning : config.warnings()) log.warn("configuration", {{"warning", warning}});
  }

  void count_log_lines() {
    for (std::size_t i = 0; i < 6; ++i) {
      const auto level = to_string(static_cast<observe::Level>(i));
      auto& cell = metrics.mirrored_counter("weft_log_lines_total", "Lines of the log, suppressed ones included.",
                                            {{"level", std::string(level)}});
      metrics.on_collect([this, i, &cell] { cell.set(static_cast<double>(log.lines()[i])); });
    }
  }

  /// The file may be renamed or removed, and a process that logs nothing may still write to stderr.
  void follow_log_file(const std::string& file) {
    log.follow_file(file);
    if (!log.file_state().followed) return;
    auto& reopened = metrics.mirrored_counter("weft_log_reopened_total",
                                              "Times that the log file was opened again after a rotation.");
    auto& attached = metrics.gauge("weft_log_file_open", "1: lines go to the log file; 0: it cannot be opened again.");
    metrics.on_collect([this, &reopened, &attached] {
      const auto state = log.file_state();
      reopened.set(static_cast<double>(state.reopened));
      attached.set(state.attached ? 1 : 0);
    });
    check_log_file();
  }
  void check_log_file() {
    log.check_file();
    log_check.start(kLogCheck, [this] { check_log_file(); });
  }

  // ---- signals

  void on_signal(int number) {
    if (number == SIGHUP) {
      log.check_file();
      return reload();
    }
    if (stopping) {
      log.warn("a second signal: exit at once", {{"signal", ::strsignal(number)}});
      if (at_abrupt_end) at_abrupt_end();
      std::_Exit(128 + number);
    }
    log.info("stopping", {{"signal", ::strsignal(number)}});
    stop(exit_code::ok);
  }

  void reloaded(bool good) {
    metrics.gauge("weft_config_last_reload_successful", "1: the last load of the configuration was good.").set(good);
    auto& time = metrics.gauge("weft_config_last_reload_success_timestamp_seconds",
                               "When the configuration was last loaded without a mistake, in Unix time.");
    if (good) time.set(static_cast<double>(to_us(loop.clock().wall())) * 1e-6);
  }

  /// All or nothing.
  void reload() {
    if (stopping) return;
    load_from.directory = config::find_directory(flags.config_dir);
    auto loaded = config::load(load_from);
    for (const auto& mistake : loaded.mistakes())
      log.error("the new configuration is wrong; the old one stays", {{"mistake", mistake.describe()}});
    if (!loaded.ok()) return reloaded(false);
    auto fresh = std::move(loaded).config();
    try {
      for (const auto& tell : on_reload) tell(fresh);
    } catch (const std::exception& failure) {
      log.error("the new configuration was refused; the old one stays", {{"why", failure.what()}});
      return reloaded(false);
    }
    config = std::move(fresh);
    log.set_level(config.get<observe::Level>("log.level"));
    reloaded(true);
    log.info("configuration loaded anew", {{"config_hash", config.hash()}});
  }

  // ---- the end

  void stop(int code) {
    if (std::exchange(stopping, true)) {
      if (exit == exit_code::ok) exit = code;
      return;
    }
    exit = code;
    notifier.send("STOPPING=1");
    health.set("draining", false, "the process is stopping");
    if (running) begin_drain();
  }

  void begin_drain() {
    drain_deadline.start(budget, [this] {
      log.warn("draining took too long", {{"budget", to_text(budget)}});
      loop.stop();
    });
    draining.spawn(drain_all(loop.now() + budget), [this](std::exception_ptr failure) {
      if (failure) log.error("draining failed", {{"why", what_of(failure).text}});
      loop.stop();
    });
  }

  Task<void> drain_all(TimePoint end) {
    if (drain) co_await drain();
    co_await tracing.flush(end - loop.now());
  }

  int run(std::function<Task<void>()> how, Duration within) {
    drain = std::move(how);
    budget = within;
    running = true;
    if (stopping) begin_drain();
    try {
      loop.run();
    } catch (...) {
      record_exception(std::current_exception());
      log.write(observe::Level::fatal, "a bug ends the process",
                {{"code", codes::bug.id}, {"why", what_of(std::current_exception()).text}});
      exit = exit_code::internal;
    }
    running = false;
    drain_deadline.stop();
    draining.cancel_all();
    drain = nullptr;
    log.info("stopped", {{"exit_code", exit}});
    return exit;
  }

  // ---- the admin door

  Value info() const {
    Value out = Value::Map{{"agent", load_from.agent},
                           {"version", about.version},
                           {"host", config.at("host.name")},
                           {"mesh", config.at("mesh.name")},
                           {"environment", flags.environment},
                           {"pid", ::getpid()},
                           {"config_hash", config.hash()},
                           {"started", to_rfc3339(started)},
                           {"uptime_seconds", to_seconds(loop.now() - began)}};
    for (const auto& more : on_info) {
      auto facts = more();
      if (!facts.is_map()) continue;
      for (auto& [key, value] : facts.as_map()) out.set(key, std::move(value));
    }
    return out;
  }

  std::string bind_address() const {
    const auto bind = config.get<std::string>("admin.bind");
    return bind == "any" ? "0.0.0.0" : bind == "host" ? config.get<std::string>("host.address") : "127.0.0.1";
  }

  Result<observe::Admin*> open_admin() {
    const auto port = config.get<std::uint16_t>("admin.port");
    auto hosts = config.get<std::vector<std::string>>("admin.hosts");
    hosts.push_back(config.get<std::string>("host.name"));
    hosts.push_back(config.get<std::string>("host.address"));
    auto opened = observe::Admin::open(
        loop, bind_address(), port, metrics, health, [this] { return info(); }, std::move(hosts));
    if (!opened) {
      auto error = opened.error();
      const bool taken = error.is(codes::port_taken);
      const auto key = taken ? "admin.port" : config.at("admin.bind").is("host") ? "host.address" : "admin.bind";
      error.message = "admin door: " + error.message + "; " + key + " is set by " + config.origin(key).where();
      return error;
    }
    admin = std::move(*opened);
    return admin.get();
  }

  const About about;
  const Flags flags;
  config::LoadOptions load_from;
  config::Config config;
  io::IoLoop loop;
  const WallTime started = loop.clock().wall();
  const TimePoint began = loop.now();
  observe::Log log;
  Timer log_check{loop};
  observe::Metrics metrics;
  observe::Health health;
  Random random = Random::from_os();
  Tracing tracing{loop,
                  observe::otlp_settings(variables("OTEL_"), trace_resource(config, load_from.agent, about.version)),
                  random, metrics, log};
  std::function<void()> at_abrupt_end;
  std::vector<std::function<Value()>> on_info;
  std::vector<std::function<void(const config::Config&)>> on_reload;
  std::unique_ptr<observe::Admin> admin;
  io::Notifier notifier{loop};
  Watchdog watchdog{loop, notifier};

  bool running = false, stopping = false;
  int exit = exit_code::ok;
  std::function<Task<void>()> drain;
  Duration budget{};
  Timer drain_deadline{loop};
  TaskScope draining;
  io::Signals signals{loop, {SIGTERM, SIGINT, SIGHUP}, [this](int number) { on_signal(number); }};
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

const std::string& Program::agent() const noexcept { return impl_->load_from.agent; }
const std::string& Program::version() const noexcept { return impl_->about.version; }
const std::string& Program::environment() const noexcept { return impl_->flags.environment; }
const config::Config& Program::config() const noexcept { return impl_->config; }
io::IoLoop& Program::loop() noexcept { return impl_->loop; }
observe::Log& Program::log() noexcept { return impl_->log; }
observe::Metrics& Program::metrics() noexcept { return impl_->metrics; }
observe::Health& Program::health() noexcept { return impl_->health; }
observe::Tracer& Program::tracer() noexcept { return impl_->tracing.tracer(); }
Random& Program::random() noexcept { return impl_->random; }
Result<observe::Admin*> Program::open_admin() { return impl_->open_admin(); }

std::string Program::admin_address() const {
  if (!impl_->admin) return {};
  const bool loopback = impl_->config.at("admin.bind").is("loopback");
  const auto address = loopback ? std::string("127.0.0.1") : impl_->config.get<std::string>("host.address");
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(impl_->admin->port());
}

void Program::on_info(std::function<Value()> more) { impl_->on_info.push_back(std::move(more)); }
void Program::on_reload(std::function<void(const config::Config&)> reload) {
  impl_->on_reload.push_back(std::move(reload));
}
int Program::run(std::function<Task<void>()> drain, Duration budget) { return impl_->run(std::move(drain), budget); }

void Program::at_abrupt_end(std::function<void()> work) { impl_->at_abrupt_end = std::move(work); }

void Program::ready() {
  impl_->health.set_started();
  impl_->notifier.send("READY=1");
  impl_->log.info("ready", {{"config_hash", impl_->config.hash()}, {"admin", admin_address()}});
}

void Program::quit(int exit_code) { impl_->stop(exit_code); }

}  // namespace weft::program
