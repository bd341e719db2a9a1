// Watchdog: tells a supervisor that asked for it (WATCHDOG_USEC, sd_watchdog_enabled(3)) that the loop turns. Private
// to program.
#pragma once
#include "weft/io/io.hpp"

namespace weft::program {

class Watchdog {
 public:
  explicit Watchdog(Loop& loop);

 private:
  void ping();
  Timer timer_;
  Duration period_{};
};

}  // namespace weft::program
