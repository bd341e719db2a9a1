// Going to the background in a way that the one who asked learns how the start went.
#pragma once
#include <string>

#include "weft/base/base.hpp"

namespace weft::node {

/// Before any thread or socket. In the child it returns; the parent waits there for release() and exits with its code.
class Background {
 public:
  Background() = default;
  /// Errors: `io_failed`.
  Result<void> detach();
  /// Ends the waiting of the parent, and lets go of its terminal (stderr must be elsewhere). Once; no effect without
  /// detach().
  void release(int exit_code) noexcept;
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  int pipe_ = -1;
};

/// From now on stderr appends to `log`. Errors: `io_failed`.
Result<void> send_stderr_to(const std::string& log);

}  // namespace weft::node
