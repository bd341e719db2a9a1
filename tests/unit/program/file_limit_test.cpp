#include "weft/program/file_limit.hpp"

#include <sys/resource.h>

#include "tests/support/catch.hpp"

using namespace weft::program;

TEST_CASE("the soft limit of files is raised to what is wanted, or to the hard one, and never lowered") {
  CHECK(file_limit(1024, 1'048'576) == kFilesWanted);
  CHECK(file_limit(1024, RLIM_INFINITY) == kFilesWanted);
  CHECK(file_limit(1024, 4096) == 4096);
  CHECK(file_limit(65'536, 65'536) == 65'536);
  CHECK(file_limit(256, 256) == 256);
}

TEST_CASE("a process that starts with the limit of a shell gets more") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit shell{std::min<rlim_t>(512, before.rlim_max), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &shell) == 0);
  raise_file_limit();
  rlimit after{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(after.rlim_cur == file_limit(512, before.rlim_max));
  CHECK(after.rlim_max == before.rlim_max);
}
