#include "weft/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/base/codes.hpp"

using namespace weft;

TEST_CASE("a regular file is read whole, a missing one is not an error") {
  test::TempDir dir;
  const std::string text("two\0parts", 9);
  dir.write("file", text);
  dir.write("nothing", "");
  CHECK(read_regular_file(dir / "file", 9).value() == text);
  CHECK(read_regular_file(dir / "nothing", 9).value() == "");
  CHECK_FALSE(read_regular_file(dir / "missing", 9).value().has_value());
  CHECK_FALSE(read_regular_file(dir / "file/below", 9).value().has_value());
}

TEST_CASE("a file beyond the limit is refused, and so is one of /proc, whose size is 0") {
  test::TempDir dir;
  dir.write("file", "0123456789");
  CHECK(read_regular_file(dir / "file", 10));
  CHECK(read_regular_file(dir / "file", 9).error().is(codes::too_large));
  CHECK(read_regular_file("/proc/self/status", 100'000).value()->find("Pid:") != std::string::npos);
  CHECK(read_regular_file("/proc/self/status", 10).error().is(codes::too_large));
}

TEST_CASE("what is not a regular file is refused at once") {
  for (const auto damage : {test::Damage::directory, test::Damage::fifo, test::Damage::link_loop}) {
    test::TempDir dir;
    dir.write("file", "x");
    test::inflict(damage, dir / "file", 0);
    INFO(test::name_of(damage));
    const auto read = read_regular_file(dir / "file", 10);
    REQUIRE_FALSE(read);
    CHECK(read.error().is(codes::io_failed));
    CHECK(read.error().message.find(dir / "file") == 0);
    CHECK_FALSE(open_regular_file(dir / "file", O_RDWR | O_CREAT));
  }
  CHECK(read_regular_file("/dev/zero", 10).error().message == "/dev/zero is not a regular file");
}

TEST_CASE("a file that must not be read is an error, not a missing one") {
  test::TempDir dir;
  dir.write("file", "x");
  const test::NoPermission denied(dir / "file");
  const auto read = read_regular_file(dir / "file", 10);
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("Permission denied") != std::string::npos);
}

TEST_CASE("a file is replaced whole, and stays as it is when that fails") {
  test::TempDir dir;
  for (const auto sync : {Sync::no, Sync::yes}) {
    REQUIRE(replace_file(dir / "file", "first", sync));
    REQUIRE(replace_file(dir / "file", "second", sync));
    CHECK(test::bytes_of(dir / "file") == "second");
  }
  struct stat info {};
  REQUIRE(::stat((dir / "file").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::mkfifo((dir / "file.new").c_str(), 0600) == 0);
  CHECK(replace_file(dir / "file", "third").error().message.find(dir / "file.new") == 0);
  CHECK(test::bytes_of(dir / "file") == "second");
  CHECK(replace_file(dir / "missing/file", "x").error().is(codes::io_failed));
}

TEST_CASE("the name of a damaged file says when it was found, and is never one that exists") {
  test::TempDir dir;
  const WallTime now = wall_from_us(1'000'000);
  const std::string first = damaged_name(dir / "file", now);
  CHECK(first == dir / "file.damaged-1970-01-01T00-00-01Z");
  dir.write("file.damaged-1970-01-01T00-00-01Z", "");
  CHECK(damaged_name(dir / "file", now) == first + "-2");
}
