#include "weft/observe/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using weft::observe::LogFile;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  ~Fixture() { ::close(fd); }
  int open(const std::string& name) const { return ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600); }
  void write(const std::string& text) const {
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  static std::string content(const std::string& name) {
    std::ifstream in(name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  weft::test::TempDir dir;
  std::string folder = dir.path() + "/logs", path = folder + "/a.log";
  bool made = fs::create_directories(folder);
  int fd = open(path);
  LogFile file{path, {fd}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a log file that keeps its name is not opened again") {
  CHECK(file.followed());
  CHECK(file.follow());
  write("one\n");
  CHECK(file.follow());
  CHECK(file.reopened() == 0);
  CHECK(content(path) == "one\n");
}

TEST_CASE_METHOD(Fixture, "lines after a rename go to a new file, those before stay in the old one") {
  write("one\n");
  fs::rename(path, path + ".1");
  write("two\n");
  CHECK(file.follow());
  write("three\n");
  CHECK(content(path + ".1") == "one\ntwo\n");
  CHECK(content(path) == "three\n");
  CHECK(file.reopened() == 1);
}

TEST_CASE_METHOD(Fixture, "the file that somebody made in place of a renamed one is appended to") {
  fs::rename(path, path + ".1");
  std::ofstream(path) << "theirs\n";
  CHECK(file.follow());
  write("ours\n");
  CHECK(content(path) == "theirs\nours\n");
}

TEST_CASE_METHOD(Fixture, "a file that was truncated goes on from its start") {
  write("one\n");
  fs::resize_file(path, 0);
  CHECK(file.follow());
  write("two\n");
  CHECK(content(path) == "two\n");
  CHECK(file.reopened() == 0);
}

TEST_CASE_METHOD(Fixture, "a removed file and a removed folder are made again") {
  fs::remove_all(folder);
  CHECK(file.follow());
  write("one\n");
  CHECK(content(path) == "one\n");
}

TEST_CASE_METHOD(Fixture, "where the file cannot be opened the former one is kept, until it can") {
  fs::rename(path, path + ".1");
  fs::create_directory(path);
  CHECK_FALSE(file.follow());
  CHECK_FALSE(file.attached());
  CHECK_FALSE(file.why().empty());
  write("one\n");
  fs::remove(path);
  CHECK(file.follow());
  CHECK(file.attached());
  write("two\n");
  CHECK(content(path + ".1") == "one\n");
  CHECK(content(path) == "two\n");
}

TEST_CASE_METHOD(Fixture, "no line is lost while the file is renamed again and again") {
  constexpr int kLines = 20'000;
  std::atomic<int> written{0};
  std::jthread rotation([&](const std::stop_token& stop) {
    for (int n = 1; !stop.stop_requested() && n <= 400; ++n) {
      const int before = written;
      std::error_code failure;
      fs::rename(path, path + "." + std::to_string(n), failure);  // fails while the writer has no file
      while (!stop.stop_requested() && written < before + 10) std::this_thread::yield();
    }
  });
  for (int i = 0; i < kLines; ++i) {
    file.follow();
    write(std::to_string(i) + "\n");
    ++written;
  }
  rotation.request_stop();
  rotation.join();
  std::set<int> seen;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    for (int line = 0; in >> line;) CHECK(seen.insert(line).second);
  }
  CHECK(seen.size() == kLines);
  CHECK(file.reopened() > 1);
}

TEST_CASE_METHOD(Fixture, "both descriptors of the file move, and one that is elsewhere stays") {
  const int second = open(path), other = open(folder + "/other");
  LogFile both(path, {fd, second, other});
  fs::rename(path, path + ".1");
  CHECK(both.follow());
  REQUIRE(::write(second, "x", 1) == 1);
  REQUIRE(::write(other, "y", 1) == 1);
  CHECK(content(path) == "x");
  CHECK(content(folder + "/other") == "y");
  ::close(second);
  ::close(other);
}

TEST_CASE_METHOD(Fixture, "a descriptor that is not the named file is left alone") {
  LogFile stranger(folder + "/other", {fd});
  CHECK_FALSE(stranger.followed());
  CHECK(stranger.follow());
  CHECK_FALSE(fs::exists(folder + "/other"));
}

TEST_CASE_METHOD(Fixture, "a file that is removed before it is followed is made again") {
  fs::remove(path);
  LogFile late(path, {fd});
  CHECK(late.followed());
  CHECK(late.follow());
  CHECK(fs::exists(path));
}
