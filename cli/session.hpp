// Session: the mesh as a verb sees it. The command is an anonymous member: it looks and talks, and is in no record
// (but for `pub`, which must be found by its subscribers).
#pragma once
#include <functional>
#include <memory>

#include "cli/cli.hpp"
#include "cli/context.hpp"
#include "weft/mesh/mesh.hpp"

namespace weft::observe {
class Tracer;
}

namespace weft::cli {

/// By --registry, --context, or the nodes of this machine. Errors: `no_registry`, `bad_usage`.
Result<Context> find_mesh(const Global& global);

/// Loop-bound.
class Session {
 public:
  enum class Role : std::uint8_t { onlooker, publisher, tracer };  ///< tracer: its calls make spans

  /// What runs when no registry answers in time; kNothing: it could do nothing either, and the missing registry is
  /// reported.
  using WithoutRegistry = std::function<Task<int>(Session&)>;
  static constexpr int kNothing = -2;

  Session(const Global& global, Context context, Role role);
  Session(Session&&) = delete;
  ~Session();
  /// Runs `work` when the directory is filled, and returns what it returned; or reports that no registry answered.
  /// Ctrl-C and TERM end it: with kDone when `work` called interruptible(), else with kInterrupted.
  int run(std::function<Task<int>(Session&)> work, WithoutRegistry without_registry = {});
  /// From now on Ctrl-C is the expected end.
  void interruptible() noexcept;
  /// The first Ctrl-C does `work` instead of ending the session; it may be empty.
  void on_interrupt(Callback work);
  /// Ends run() with `exit_code`.
  void finish(int exit_code);

  const Global& global() const noexcept { return global_; }
  const Context& context() const noexcept;
  mesh::Mesh& mesh() noexcept;
  Loop& loop() noexcept;
  observe::Tracer& tracer() noexcept;

 private:
  struct Impl;
  const Global& global_;
  std::unique_ptr<Impl> impl_;
};

/// The reply in `answer`, or its error. Errors: also `bad_payload`.
template <class Reply>
Result<Reply> read_as(const Result<wire::Payload>& answer) {
  return answer ? answer->as<Reply>() : Result<Reply>(answer.error());
}

/// What a verb's work answers when it goes on until finish() or Ctrl-C.
inline constexpr int kKeepRunning = -1;

/// Finds the mesh and runs `work` in a session.
int run_in_mesh(const Global& global, std::function<Task<int>(Session&)> work,
                Session::Role role = Session::Role::onlooker, std::function<Task<int>(Session&)> without_registry = {});

}  // namespace weft::cli
