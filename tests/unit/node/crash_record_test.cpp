#include "node/crash_record.hpp"

#include <signal.h>

#include <ctime>

#include "tests/support/catch.hpp"
#include "weft/base/codes.hpp"

using namespace weft;
using namespace weft::node;

namespace {
const std::string kWhole = R"(weft-crash 1
pid 4711
started 1700000000
thread 4712 worker 3
exception std::out_of_range
what no shelf 7: it is gone
signal 6 -6
address 0x10
pc 0x7f0010
sp 0x7ffe00
news nobody knows
frame 0x1f40 /opt/app/weft app
frame 0x2000 libc.so.6
end
frame 0x3000 after the end
)";
}  // namespace

TEST_CASE("a record is read back, unknown lines and what is behind its end are skipped") {
  const auto record = parse_crash_record(kWhole);
  REQUIRE(record);
  CHECK(record->pid == 4711);
  CHECK(record->started == 1'700'000'000);
  CHECK(record->thread == "4712 worker 3");
  CHECK(record->exception == "std::out_of_range");
  CHECK(record->what == "no shelf 7: it is gone");
  CHECK(record->signal == 6);
  CHECK(record->address == 0x10);
  CHECK(record->pc == 0x7f0010);
  REQUIRE(record->frames.size() == 2);
  CHECK(record->frames[0].address == 0x1f40);
  CHECK(record->frames[0].file == "/opt/app/weft app");
}

TEST_CASE("a record that was cut off has what came before, and anything else is no record") {
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    const auto record = parse_crash_record(kWhole.substr(0, size));
    CHECK(record.has_value() == (size >= 13));
    if (size > 60) CHECK(record->pid == 4711);
  }
  CHECK(parse_crash_record("weft-crash 2\npid 1\n").error().is(codes::bad_encoding));
  const auto odd = parse_crash_record("weft-crash 1\npid x\nsignal\naddress zz\nframe\n\n \n");
  REQUIRE(odd);
  CHECK(odd->pid == 0);
}

TEST_CASE("frames beyond the limit, and long words, are cut") {
  std::string text = "weft-crash 1\nexception " + std::string(5000, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) text += "frame 0x1 /bin/x\n";
  const auto record = parse_crash_record(text);
  REQUIRE(record);
  CHECK(record->frames.size() == 64);
  CHECK(record->exception.size() == 512);
}

TEST_CASE("a fault near the stack pointer is an overflow of the stack, a null pointer is not") {
  CrashRecord record;
  record.signal = SIGSEGV;
  record.sp = 0x7ffe0000;
  record.address = 0x7ffdfff8;
  CHECK(record.stack_overflow());
  record.address = 0;
  CHECK_FALSE(record.stack_overflow());
  record.address = 0x7ffdfff8;
  record.signal = SIGBUS;
  CHECK_FALSE(record.stack_overflow());
  record.signal = SIGSEGV;
  record.address.reset();
  CHECK_FALSE(record.stack_overflow());
}

TEST_CASE("signals have their names, numbers their digits") {
  CHECK(signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(signal_name(SIGKILL) == "SIGKILL");
  CHECK(signal_name(77) == "signal 77");
}
