#include "node/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "weft/base/files.hpp"

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

namespace weft::node {
namespace {

namespace fs = std::filesystem;

class Spawned final : public Process {
 public:
  Spawned(Loop& loop, ProcessId id, int pidfd, bool child, OnExit on_exit)
      : loop_(loop), id_(id), pidfd_(pidfd), child_(child), on_exit_(std::move(on_exit)) {
    watch_ = loop_.watch(pidfd_, [this] { ended(); });
  }
  ~Spawned() override { close(); }
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;

  ProcessId id() const noexcept override { return id_; }
  bool includes(pid_t pid) const noexcept override { return pid == id_.pid || ::getpgid(pid) == id_.pid; }
  void signal(int number) noexcept override {
    if (pidfd_ >= 0) (void)::pidfd_send_signal(pidfd_, number, nullptr, 0);
  }
  void kill_group() noexcept override {
    if (pidfd_ < 0) return;
    // While its leader lives or is not reaped, the group is its own.
    if (child_ || ::pidfd_send_signal(pidfd_, 0, nullptr, 0) == 0) (void)::kill(-id_.pid, SIGKILL);
    (void)::pidfd_send_signal(pidfd_, SIGKILL, nullptr, 0);
  }

 private:
  void ended() {
    Exit exit{Exit::How::unknown, 0};
    if (child_) {
      siginfo_t info{};
      // Look first, reap last: what it left behind in its group can be ended only while its pid is taken.
      if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return;
      (void)::kill(-id_.pid, SIGKILL);
      (void)::waitid(P_PIDFD, static_cast<id_t>(pidfd_), &info, WEXITED | WNOHANG);
      exit = {info.si_code == CLD_EXITED ? Exit::How::exited : Exit::How::signalled, info.si_status};
    } else if (start_ticks_of(id_.pid) == id_.start_ticks) {
      return;  // woken too early
    }
    close();
    auto on_exit = std::move(on_exit_);
    on_exit(exit);
  }
  void close() noexcept {
    loop_.unwatch(std::exchange(watch_, 0));
    if (pidfd_ >= 0) ::close(std::exchange(pidfd_, -1));
  }

  Loop& loop_;
  ProcessId id_;
  int pidfd_;
  bool child_;
  OnExit on_exit_;
  Loop::Id watch_ = 0;
};

/// What posix_spawn needs, freed when it goes.
class SpawnPlan {
 public:
  /// `log`: the open log file, or this node's stderr.
  SpawnPlan(const Command& command, int log) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, log, STDERR_FILENO);
    if (!command.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions_, command.cwd.c_str());
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    argv_.push_back(const_cast<char*>(command.program.c_str()));
    for (const auto& arg : command.args) argv_.push_back(const_cast<char*>(arg.c_str()));
    for (const auto& variable : command.env) envp_.push_back(const_cast<char*>(variable.c_str()));
    argv_.push_back(nullptr);
    envp_.push_back(nullptr);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  int run(pid_t& pid) const {
    return ::posix_spawn(&pid, argv_.front(), &actions_, &attributes_, argv_.data(), envp_.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<char*> argv_, envp_;
};

/// The log file of a process that is to start, in its folder, which is made where it is missing.
Result<int> open_log(const std::string& file) {
  std::error_code failure;
  fs::create_directories(fs::path(file).parent_path(), failure);
  return open_regular_file(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

class PosixLauncher final : public Launcher {
 public:
  PosixLauncher(Loop& loop, LogLost log_lost) : loop_(loop), log_lost_(std::move(log_lost)) {}

  Result<std::unique_ptr<Process>> launch(const Command& command, OnExit on_exit) override {
    const auto log = open_log(command.log);
    if (!log && log_lost_) log_lost_(command, log.error());
    pid_t pid = 0;
    const int failed = SpawnPlan(command, log ? *log : STDERR_FILENO).run(pid);
    if (log) ::close(*log);
    if (failed != 0)
      return Error(codes::start_failed, "'" + command.program + "' with the log " + command.log +
                                            " could not be started: " + std::strerror(failed));
    const int pidfd = ::pidfd_open(pid, 0);
    if (pidfd < 0) {
      const int failure = errno;
      (void)::kill(-pid, SIGKILL);
      (void)::waitpid(pid, nullptr, 0);
      return Error(codes::start_failed, "'" + command.program + "' cannot be watched: " + std::strerror(failure));
    }
    return std::unique_ptr<Process>(
        std::make_unique<Spawned>(loop_, ProcessId{pid, start_ticks_of(pid)}, pidfd, true, std::move(on_exit)));
  }

  Result<std::unique_ptr<Process>> adopt(ProcessId id, OnExit on_exit) override {
    const int pidfd = id.pid > 1 ? ::pidfd_open(id.pid, 0) : -1;
    // The order matters: once the pidfd is open its process cannot be replaced by another between check and use.
    if (pidfd >= 0 && id.start_ticks != 0 && start_ticks_of(id.pid) == id.start_ticks)
      return std::unique_ptr<Process>(std::make_unique<Spawned>(loop_, id, pidfd, false, std::move(on_exit)));
    if (pidfd >= 0) ::close(pidfd);
    return Error(ErrorKind::not_found, "", "process " + std::to_string(id.pid) + " has ended");
  }

 private:
  Loop& loop_;
  LogLost log_lost_;
};

std::string own_folder() {
  std::error_code failure;
  return fs::read_symlink("/proc/self/exe", failure).parent_path().string();
}

bool runnable(const std::string& path) { return fs::is_regular_file(path) && ::access(path.c_str(), X_OK) == 0; }

}  // namespace

std::unique_ptr<Launcher> make_launcher(Loop& loop, LogLost log_lost) {
  return std::make_unique<PosixLauncher>(loop, std::move(log_lost));
}

std::uint64_t start_ticks_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto after_name = text.rfind(')');  // the name may hold spaces and parentheses
  if (after_name == std::string::npos || text.size() < after_name + 2) return 0;
  const auto fields = split(std::string_view(text).substr(after_name + 2), ' ');
  constexpr std::size_t kState = 0, kStartTime = 19;  // proc(5): fields 3 and 22
  if (fields.size() <= kStartTime || fields[kState] == "Z" || fields[kState] == "X") return 0;
  return std::stoull(std::string(fields[kStartTime]));
}

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

Result<std::string> find_program(const std::string& program, const std::string& base) {
  if (program.find('/') != std::string::npos) {
    auto path = (fs::path(base) / program).lexically_normal().string();
    if (runnable(path)) return path;
    if (!fs::exists(path)) return Error(codes::start_failed, "there is no program '" + path + "'");
    return Error(codes::start_failed, "'" + path + "' is not an executable file (chmod +x " + path + ")");
  }
  std::vector<std::string> folders{own_folder()};
  for (const char* variable : {"WEFT_PROGRAM_PATH", "PATH"}) {
    const char* list = std::getenv(variable);
    for (const auto folder : split(list ? list : "", ':')) folders.emplace_back(folder);
  }
  for (const auto& folder : folders) {
    if (folder.empty()) continue;
    if (auto path = folder + "/" + program; runnable(path)) return path;
  }
  const bool beside = fs::is_regular_file(fs::path(base) / program);
  return Error(codes::start_failed,
               "there is no program '" + program + "' in " + own_folder() + ", WEFT_PROGRAM_PATH or PATH" +
                   (beside ? "; for the file beside the fleet file write './" + program + "'" : ""));
}

}  // namespace weft::node
