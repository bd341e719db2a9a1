// For LD_PRELOAD: the time of day is off by CLOCK_SHIFT seconds ("-3600") in this process and what it starts, as after
// a clock was set back. Monotonic clocks are left alone.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int clock_gettime(clockid_t clock, timespec* out) {
  const long done = ::syscall(SYS_clock_gettime, clock, out);
  if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    const char* shift = std::getenv("CLOCK_SHIFT");
    out->tv_sec += shift ? std::atol(shift) : 0;
  }
  return static_cast<int>(done);
}
