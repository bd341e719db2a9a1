// Session: the mesh as a verb sees it. The command is an anonymous member: it looks and talks, and is in no record
// (but for `pub`, which must be found by its subscribers).
#pragma once
#include <functional>

#include "cli/cli.hpp"
#include "cli/context.hpp"
#include "weft/io/io.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/trace.hpp"

namespace weft::cli {

/// By --registry, --context, or the nodes of this machine. Errors: `no_registry`, `bad_usage`.
Result<Context> find_mesh(const Global& global);

/// Loop-bound.
class Session {
 public:
  enum class Role : std::uint8_t { onlooker, publisher, tracer };  ///< tracer: its calls make spans

  Session(const Global& global, Context context, Role role);
  /// Runs `work` when the directory is filled; returns what it returned, or tells that no registry answered. Ctrl-C
  /// and TERM end it: kDone when `work` said so by interruptible(), else kInterrupted.
  /// Runs when no registry answers in time; kNothing: it could do nothing either, and the registry's absence is told.
  using WithoutRegistry = std::function<Task<int>(Session&)>;
  static constexpr int kNothing = -2;
  int run(std::function<Task<int>(Session&)> work, WithoutRegistry without_registry = {});
  /// From now on Ctrl-C is the expected end.
  void interruptible() noexcept { interrupted_ = kDone; }
  /// The first Ctrl-C does `work` instead of ending the session; it may be empty.
  void on_interrupt(Callback work) { interrupt_ = std::move(work); }
  /// Waits until somebody calls finish(), or the signal.
  void finish(int exit_code);

  const Global& global() const noexcept { return global_; }
  const Context& context() const noexcept { return context_; }
  mesh::Mesh& mesh() noexcept { return mesh_; }
  io::IoLoop& loop() noexcept { return loop_; }
  observe::Tracer& tracer() noexcept { return tracer_; }

 private:
  Task<void> main(std::function<Task<int>(Session&)> work, WithoutRegistry without_registry);

  const Global& global_;
  Context context_;
  Role role_;
  io::IoLoop loop_;
  net::Context sockets_;
  observe::Metrics metrics_;
  observe::Health health_;
  observe::Log log_;
  observe::Tracer tracer_;
  mesh::Mesh mesh_;
  int exit_code_ = kDone;
  int interrupted_ = kInterrupted;
  Callback interrupt_;
  bool finished_ = false;
  TaskScope tasks_;
};

/// What a verb's work answers when it goes on until finish() or Ctrl-C.
inline constexpr int kKeepRunning = -1;

/// Finds the mesh and runs `work` in a session.
int run_in_mesh(const Global& global, std::function<Task<int>(Session&)> work,
                Session::Role role = Session::Role::onlooker, std::function<Task<int>(Session&)> without_registry = {});

}  // namespace weft::cli
