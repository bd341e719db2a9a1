#include "agents/logwatch/file_events.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::logwatch;

namespace {
struct Watched {
  test::TempDir folder;
  test::ManualLoop loop;
  std::vector<logwatch::Identity> files;
  int folders = 0;
  FileEvents events{loop, [this](const logwatch::Identity& file) { files.push_back(file); }, [this] { ++folders; }};
};
}  // namespace

TEST_CASE("a file that grows is told, whatever its name is by now") {
  Watched w;
  w.folder.write("a", "1");
  const int fd = ::open((w.folder / "a").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(w.events.follow({{{1, 2}, fd}}, {}));
  w.folder.append("a", "2");
  CHECK(w.loop.run_until([&] { return w.files == std::vector<logwatch::Identity>{{1, 2}}; }));
  REQUIRE(::rename((w.folder / "a").c_str(), (w.folder / "b").c_str()) == 0);
  w.folder.append("b", "3");
  CHECK(w.loop.run_until([&] { return w.files.size() == 2; }));
  REQUIRE(w.events.follow({}, {}));
  w.folder.append("b", "4");
  w.loop.turn();
  CHECK(w.files.size() == 2);
  ::close(fd);
}

TEST_CASE("what comes and goes in a folder is told, what is only written there is not") {
  Watched w;
  w.folder.write("there", "");
  REQUIRE(w.events.follow({}, {w.folder.path(), "/nonexistent"}));
  w.folder.append("there", "x");
  w.loop.turn();
  CHECK(w.folders == 0);
  w.folder.write("new", "");
  CHECK(w.loop.run_until([&] { return w.folders == 1; }));
  ::unlink((w.folder / "new").c_str());
  CHECK(w.loop.run_until([&] { return w.folders == 2; }));
}

TEST_CASE("the folders of globs are those without wildcards") {
  CHECK(folders_of({"/var/log/*.log", "/var/log/a", "/srv/*/x.log", "here.log"}) ==
        std::vector<std::string>{".", "/var/log"});
  CHECK(folders_of({}).empty());
}
