// AlternateStack: a stack of its own for the signal handlers of one thread, so that a handler can run when the thread
// has used up its stack (sigaltstack(2)).
#pragma once
namespace weft {

/// Made, and destroyed, by the thread that it is for, as the first thing that its function does. Without memory the
/// thread has none.
class AlternateStack {
 public:
  AlternateStack() noexcept;
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_;
};

}  // namespace weft
