#include "agents/logwatch/follower.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::logwatch;

namespace {
using Lines = std::vector<std::string>;

/// A folder, and a follower of it that may be stopped and started.
struct Followed {
  test::TempDir folder;
  Lines lines;
  Lines troubles;
  TimePoint now{1h};
  Follower::Options options;
  Positions saved;
  std::optional<Follower> follower;

  explicit Followed(const std::string& glob = "*.log") { options.globs = {folder / glob}; }
  void start() {
    follower.emplace(
        options, saved, [this](const std::string&, const Line& line) { lines.emplace_back(line.text); },
        [this](const Error& error) { troubles.push_back(error.message); });
    look();
  }
  void stop() {
    saved = follower->positions(SystemClock().wall());
    follower.reset();
  }
  void look() {
    follower->scan(now);
    while (follower->read(1024 * 1024, now)) {
    }
  }
  void rename(const char* from, const char* to) const {
    REQUIRE(::rename((folder / from).c_str(), (folder / to).c_str()) == 0);
  }
  Lines take() { return std::exchange(lines, {}); }
};
}  // namespace

TEST_CASE("no file, one file, many files are followed") {
  Followed f;
  f.start();
  CHECK(f.follower->size() == 0);
  f.folder.write("a.log", "a1\n");
  f.look();
  CHECK(f.take() == Lines{"a1"});
  f.folder.append("a.log", "a2\na3\n");
  f.folder.write("b.log", "b1\n");
  f.folder.write("c.txt", "no\n");
  f.look();
  auto lines = f.take();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"a2", "a3", "b1"});
}

TEST_CASE("what was there before the first start is told only when wanted") {
  Followed end, start;
  start.options.from = Tail::From::start;
  for (auto* f : {&end, &start}) {
    f->folder.write("a.log", "old\n");
    f->start();
    f->folder.append("a.log", "new\n");
    f->look();
  }
  CHECK(end.lines == Lines{"new"});
  CHECK(start.lines == Lines{"old", "new"});
}

TEST_CASE("a file rotated by rename is read to its end, and the new one from its start") {
  Followed f;
  f.folder.write("a.log", "");
  f.start();
  f.folder.append("a.log", "1\n");
  f.rename("a.log", "a.log.1");
  f.folder.append("a.log.1", "2\n");
  f.folder.write("a.log", "3\n");
  f.look();
  f.folder.append("a.log.1", "4\n");  // the writer has not been told yet
  f.look();
  auto lines = f.take();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"1", "2", "3", "4"});
  f.now += 31s;
  f.look();
  CHECK(f.follower->size() == 1);
}

TEST_CASE("a rotated file that still matches the glob is the same file") {
  Followed f("a.log*");
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  f.rename("a.log", "a.log.1");
  f.folder.write("a.log", "2\n");
  f.look();
  CHECK(f.lines == Lines{"1", "2"});
}

TEST_CASE("a file that is copied and truncated is read from its start again") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n2\n");
  f.look();
  f.folder.write("a.log", "3\n");  // truncates the same file
  f.look();
  CHECK(f.lines == Lines{"1", "2", "3"});
  CHECK(f.follower->truncations() == 1);
}

TEST_CASE("a file truncated and grown past the old size between two looks is known by its beginning") {
  Followed f;
  f.start();
  f.folder.write("a.log", "first\n");
  f.look();
  f.folder.write("a.log", "second which is longer\nthird\n");
  f.look();
  CHECK(f.lines == Lines{"first", "second which is longer", "third"});
}

TEST_CASE("a file that vanishes is left after a while, and its name may come back") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\nhalf");
  f.look();
  ::unlink((f.folder / "a.log").c_str());
  f.look();
  CHECK(f.lines == Lines{"1"});
  f.now += 31s;
  f.look();
  CHECK(f.lines == Lines{"1", "half"});
  CHECK(f.follower->size() == 0);
  f.folder.write("a.log", "2\n");
  f.look();
  CHECK(f.lines.back() == "2");
}

TEST_CASE("a restart goes on where it stopped, nothing lost and nothing twice") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n2\nhal");
  f.look();
  f.stop();
  f.folder.append("a.log", "f\n3\n");
  f.start();
  CHECK(f.lines == Lines{"1", "2", "half", "3"});
}

TEST_CASE("a rotation while nobody looked loses nothing") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  f.stop();
  f.folder.append("a.log", "2\n");
  f.rename("a.log", "a.log.1");
  f.folder.write("a.log", "3\n");
  f.start();
  auto lines = f.take();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"1", "2", "3"});
}

TEST_CASE("a file truncated while nobody looked is read from its start") {
  Followed f;
  f.start();
  f.folder.write("a.log", "a long first line\n");
  f.look();
  f.stop();
  f.folder.write("a.log", "2\n");
  f.start();
  CHECK(f.lines == Lines{"a long first line", "2"});
}

TEST_CASE("a file of the same inode with another beginning is another file") {
  Followed f;
  f.folder.write("a.log", "x\ny\n");
  struct stat found {};
  REQUIRE(::stat((f.folder / "a.log").c_str(), &found) == 0);
  f.saved = {1, {{f.folder / "a.log", found.st_dev, found.st_ino, 2, false, 2, to_hex(fnv1a("z\n"))}}};
  f.start();
  CHECK(f.lines == Lines{"x", "y"});
}

TEST_CASE("another number of the device after a reboot changes nothing") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  f.stop();
  f.saved.files.at(0).device += 1;
  f.folder.append("a.log", "2\n");
  f.start();
  CHECK(f.lines == Lines{"1", "2"});
}

TEST_CASE("a file that came while nobody looked is read from its start") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  f.stop();
  f.saved.saved_us -= 1'000'000;  // coarse clocks of file systems
  f.folder.write("b.log", "2\n");
  f.start();
  CHECK(f.lines == Lines{"1", "2"});
}

TEST_CASE("a file that the globs no longer name is not read after a restart") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  f.stop();
  f.folder.append("a.log", "2\n");
  f.options.globs = {f.folder / "*.txt"};
  f.start();
  CHECK(f.lines == Lines{"1"});
  CHECK(f.follower->size() == 0);
}

TEST_CASE("files over the limit are counted and wait for room") {
  Followed f;
  f.options.files_max = 2;
  f.options.linger = {};
  f.start();
  for (const auto* name : {"a.log", "b.log", "c.log"}) f.folder.write(name, "x\n");
  f.look();
  CHECK(f.follower->over_limit() == 1);
  CHECK(f.lines.size() == 2);
  ::unlink((f.folder / "a.log").c_str());
  f.look();
  f.look();
  CHECK(f.lines.size() == 3);
}

TEST_CASE("folders, pipes and dangling links are not followed") {
  Followed f;
  ::mkdir((f.folder / "folder.log").c_str(), 0700);
  ::mkfifo((f.folder / "pipe.log").c_str(), 0600);
  REQUIRE(::symlink("/nonexistent", (f.folder / "link.log").c_str()) == 0);
  f.start();
  CHECK(f.follower->size() == 0);
}

TEST_CASE("two names of one file are one file") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  REQUIRE(::link((f.folder / "a.log").c_str(), (f.folder / "b.log").c_str()) == 0);
  f.look();
  f.look();
  CHECK(f.lines == Lines{"1"});
}

TEST_CASE("a long line is told once, cut, and binary junk does no harm") {
  Followed f;
  f.options.line_max = 10;
  f.start();
  f.folder.write("a.log", std::string(500'000, 'x').append("\n\0\xff\nok\n", 7));
  f.look();
  REQUIRE(f.lines.size() == 3);
  CHECK(f.lines[0] == "xxxxxxxxxx");
  CHECK(f.lines[2] == "ok");
}

TEST_CASE("a turn reads no more than its budget, and files take turns") {
  Followed f;
  f.start();
  f.folder.write("a.log", std::string(600'000, 'a').append("\n"));
  f.folder.write("b.log", "b\n");
  f.follower->scan(f.now);
  CHECK(f.follower->read(300'000, f.now));
  CHECK(f.lines.size() == 2);  // the cut beginning of a, and all of b
  while (f.follower->read(300'000, f.now)) {
  }
  CHECK(f.lines.size() == 2);
}

TEST_CASE("positions change only when something was read") {
  Followed f;
  f.start();
  f.folder.write("a.log", "1\n");
  f.look();
  const auto revision = f.follower->revision();
  f.look();
  CHECK(f.follower->revision() == revision);
  f.folder.append("a.log", "2\n");
  f.look();
  CHECK(f.follower->revision() > revision);
}
