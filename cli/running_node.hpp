// A node of this machine that is told to end and waited for: by a pidfd, so to its very end, not only until it has let
// go of its lock, and never another process that got its number.
#pragma once
#include <utility>

#include "node/node.hpp"

namespace weft::cli {

class RunningNode {
 public:
  explicit RunningNode(const node::Context& context);
  RunningNode(RunningNode&& other) noexcept : pidfd_(std::exchange(other.pidfd_, -1)) {}
  RunningNode& operator=(RunningNode&&) = delete;
  ~RunningNode();

  /// False with errno when it may not be signalled. True when it has ended already.
  bool terminate() const noexcept;
  bool ends_within(Duration most) const noexcept;

 private:
  int pidfd_;  // -1: it has ended
};

}  // namespace weft::cli
