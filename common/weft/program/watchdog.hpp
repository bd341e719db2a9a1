// Watchdog: reports to a supervisor that asked for it (WATCHDOG_USEC, sd_watchdog_enabled(3)) that the loop turns.
// Private to program.
#pragma once
#include "weft/io/io.hpp"

namespace weft::program {

class Watchdog {
 public:
  /// Borrows both.
  Watchdog(Loop& loop, io::Notifier& notifier);

 private:
  void ping();

  io::Notifier& notifier_;
  Timer timer_;
  Duration period_{};
};

}  // namespace weft::program
