// Processes that exist only as numbers: a test decides when they are ready and how they end.
#pragma once
#include <signal.h>

#include <map>
#include <string>
#include <vector>

#include "node/supervisor.hpp"

namespace weft::node::test {

class FakeLauncher final : public Launcher {
 public:
  struct Live {
    std::string name;  // the program
    std::vector<int> signals;
    OnExit on_exit;
  };
  static constexpr pid_t kHelper = 10'000;  ///< added to a pid: a process that it started in its group
  class Handle final : public Process {
   public:
    Handle(FakeLauncher& launcher, pid_t pid) : launcher_(launcher), pid_(pid) {}
    ProcessId id() const noexcept override { return {pid_, 1}; }
    bool includes(pid_t pid) const noexcept override { return pid == pid_ || pid == pid_ + kHelper; }
    void signal(int number) noexcept override { launcher_.signal(pid_, number); }
    void kill_group() noexcept override { launcher_.signal(pid_, SIGKILL); }

   private:
    FakeLauncher& launcher_;
    pid_t pid_;
  };

  Result<std::unique_ptr<Process>> launch(const Command& command, OnExit on_exit) override {
    launched.push_back(command.program);
    if (refuse) return Error(codes::start_failed, "no such program");
    return hold(++last_pid_, command.program, std::move(on_exit));
  }
  Result<std::unique_ptr<Process>> adopt(ProcessId id, OnExit on_exit) override {
    if (id.start_ticks != 1) return Error(ErrorKind::not_found, "", "gone");
    return hold(id.pid, "adopted", std::move(on_exit));
  }
  void end(pid_t pid, Exit exit) {
    auto node = live.extract(pid);
    if (node) node.mapped().on_exit(exit);
  }
  pid_t pid_of(const std::string& name) const {
    for (const auto& [pid, process] : live) {
      if (process.name == name) return pid;
    }
    return 0;
  }

  std::map<pid_t, Live> live;
  std::vector<std::string> launched;
  bool refuse = false;

 private:
  void signal(pid_t pid, int number) {
    if (const auto found = live.find(pid); found != live.end()) found->second.signals.push_back(number);
  }
  std::unique_ptr<Process> hold(pid_t pid, const std::string& name, OnExit on_exit) {
    live[pid] = {name, {}, std::move(on_exit)};
    return std::make_unique<Handle>(*this, pid);
  }
  pid_t last_pid_ = 100;
};

class RecordingObserver final : public Observer {
 public:
  void changed(const Unit&, const Status&) override {}
  void ended(const Unit&, const Status&, const Ended& what) override { ends.push_back(what); }
  std::vector<Ended> ends;
};

inline Unit unit(const std::string& name, std::vector<std::string> needs = {}) {
  Unit out;
  out.name = name;
  out.command.program = name;
  out.needs = std::move(needs);
  return out;
}

}  // namespace weft::node::test
