// The door of program: what main() of every Weft process does first and last: flags, configuration, log, metrics, admin
// door, signals. One object; main() borrows its parts and hands them on.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/config/config.hpp"
#include "weft/io/io.hpp"
#include "weft/observe/observe.hpp"
#include "weft/observe/trace.hpp"

namespace weft::program {

namespace exit_code {  // sysexits(3) for daemons
inline constexpr int ok = 0, failed = 1, usage = 64, unavailable = 69, internal = 70, cannot_create = 73,
                     temporary = 75, denied = 77, config = 78;
}
/// The exit code that tells a supervisor what to think of `error`.
int exit_code_of(const Error& error) noexcept;

struct About {
  std::string agent;  ///< "registry", "digest": names its config layer and its log lines
  std::string version;
  std::string summary;            ///< one line for --help
  std::string config_schema{};    ///< JSON schema of the section `agent`, where no file has it; may be empty
  std::string config_defaults{};  ///< YAML of the whole tree, over the built-in defaults; may be empty
};

/// Loop-bound.
class Program {
 public:
  /// Reads flags (--config-dir --env --host --name --set --check --log-level --log-format --version --help;
  /// WEFT_CONFIG_DIR, WEFT_ENV, WEFT_HOST, WEFT_LOG_LEVEL, WEFT_LOG_FORMAT mirror them) and loads the configuration.
  /// When the process has nothing more to do (help, version, check, mistakes) the exit code comes back instead, and
  /// what had to be said was said.
  static std::variant<std::unique_ptr<Program>, int> start(int argc, char** argv, About about);
  ~Program();

  const std::string& agent() const noexcept;  ///< About::agent, or what --name said
  const std::string& version() const noexcept;
  const std::string& environment() const noexcept;  ///< what --env said; may be empty
  const config::Config& config() const noexcept;
  io::IoLoop& loop() noexcept;
  observe::Log& log() noexcept;
  observe::Metrics& metrics() noexcept;
  observe::Health& health() noexcept;
  /// Exports where the OTEL_ variables say so (docs/tracing.md).
  observe::Tracer& tracer() noexcept;
  Random& random() noexcept;
  /// Opens the admin door by the section `admin`. Errors: those of observe::Admin::open().
  Result<observe::Admin*> open_admin();
  std::string admin_address() const;  ///< "127.0.0.1:40003" for the record; empty before open_admin()
  /// More for /info; called at each request.
  void on_info(std::function<Value()> more);
  /// Called for HUP with the configuration loaded anew; a bad one is told in the log and keeps the old.
  void on_reload(std::function<void(const config::Config&)> reload);
  /// Runs the loop until TERM or INT (or quit()), then `drain` and the export of the last spans within `budget`; a
  /// second signal ends at once. Tells the supervisor STOPPING. Returns the exit code.
  int run(std::function<Task<void>()> drain, Duration budget);
  /// Runs when a second signal ends the process at once; must not wait for the loop.
  void at_abrupt_end(std::function<void()> work);
  /// Tells the supervisor READY, and /startupz and /readyz.
  void ready();
  void quit(int exit_code);

 private:
  struct Impl;
  explicit Program(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::program
