// Who learns what happens to the processes: metrics, the process file, the log, the mesh, and a person at a terminal.
#pragma once
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "node/child.hpp"
#include "node/fleet.hpp"
#include "node/places.hpp"
#include "node/postmortem.hpp"
#include "node/supervisor.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/observe/observe.hpp"

namespace weft::node {

/// Passes everything on to several. Borrows them.
class Observers final : public Observer {
 public:
  void add(Observer& observer) { observers_.push_back(&observer); }
  void changed(const Unit& unit, const Status& status) override {
    for (auto* observer : observers_) observer->changed(unit, status);
  }
  void ended(const Unit& unit, const Status& status, const Ended& ended) override {
    for (auto* observer : observers_) observer->ended(unit, status, ended);
  }

 private:
  std::vector<Observer*> observers_;
};

/// weft_agent_restarts_total, weft_agent_state, weft_node_agents.
class ProcessMetrics final : public Observer {
 public:
  explicit ProcessMetrics(observe::Metrics& metrics) : metrics_(metrics) {}
  void changed(const Unit& unit, const Status& status) override;
  void ended(const Unit& unit, const Status& status, const Ended& ended) override;

 private:
  observe::Metrics& metrics_;
  std::map<std::string, State> states_;
};

/// Keeps the process file true: written once at the end of each turn in which something changed.
class ProcessFileKeeper final : public Observer {
 public:
  using Write = std::function<void()>;
  ProcessFileKeeper(Loop& loop, Write write) : write_(std::move(write)), soon_(loop) {}
  void changed(const Unit&, const Status&) override { touch(); }
  void ended(const Unit&, const Status&, const Ended&) override { touch(); }

 private:
  void touch() {
    if (!soon_.running()) soon_.start(Duration::zero(), [this] { write_(); });
  }
  Write write_;
  Timer soon_;
};

/// Log lines, error events, and word to the registries that an instance is gone, so that calls go elsewhere at once.
class Announcer final : public Observer {
 public:
  /// Borrows all. `registry_port` is that of every host.
  Announcer(const Fleet& fleet, std::string host, std::uint16_t registry_port, mesh::Mesh& mesh, observe::Log& log,
            Postmortem& postmortem);
  void changed(const Unit& unit, const Status& status) override;
  void ended(const Unit& unit, const Status& status, const Ended& ended) override;
  /// Another instance was registered as this node.
  void slot_taken();

 private:
  void report(const Unit& unit, const Status& status, const Ended& ended, const Findings& findings);
  Task<void> deregister(std::string registry, wire::DeregisterRequest request);
  void notify_registries(const std::string& agent, const std::string& why);

  const Fleet& fleet_;
  std::string host_;
  std::uint16_t registry_port_;
  mesh::Mesh& mesh_;
  observe::Log& log_;
  Postmortem& postmortem_;
  TaskScope tasks_;
};

/// Shows the start to a person: a line for each process, why one failed with the end of its log, a table at the end.
class Progress final : public Observer {
 public:
  enum class Style : std::uint8_t { silent, text, json };
  /// `start_only`: nothing is shown after finish() or fail(), and `messages` is closed then.
  Progress(Loop& loop, Style style, std::FILE* out, std::FILE* messages, bool start_only)
      : loop_(loop), began_(loop.now()), style_(style), out_(out), messages_(messages), start_only_(start_only) {}
  void say(const std::string& line);
  void changed(const Unit& unit, const Status& status) override;
  void ended(const Unit& unit, const Status& status, const Ended& ended) override;
  /// Why the start is impossible, with the end of `log` unless that is empty.
  void fail(const Error& error, const std::string& log);
  /// The table; with --json the only output.
  void finish(const Supervisor& supervisor, const Fleet& fleet, const FleetHost& host, std::uint16_t registry_port);

 private:
  std::string elapsed() const;
  void complain(const std::string& text);
  void close();

  Loop& loop_;
  TimePoint began_;
  Style style_;
  std::FILE* out_;
  std::FILE* messages_;
  bool start_only_;
  bool closed_ = false;
};

/// The end of a log, indented, for a message.
std::string log_excerpt(const std::string& file);

}  // namespace weft::node
