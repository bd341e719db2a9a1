#include "weft/net/admission.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/net/raw_connection.hpp"
#include "weft/net/net.hpp"

using namespace weft;
using namespace weft::net;

namespace {

/// The soft limit of files of this process, until the end of the test.
class FileLimit {
 public:
  explicit FileLimit(rlim_t files) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit now{files, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
};

rlim_t files_open() {
  const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest_free);
  return static_cast<rlim_t>(lowest_free);
}

struct Fixture {
  Fixture() {
    REQUIRE(endpoint);
    context.on_connection_refused([this](std::string_view reason, const std::string& address) {
      reported.push_back(std::string(reason) + " " + address);
    });
    loop.turn();
  }
  bool echoes() {
    std::size_t answers = 0;
    Link link(loop, context, *endpoint, Limits(), at_client, [&](const wire::EnvelopeView&) { ++answers; });
    wire::Header header;
    header.kind = wire::Kind::request;
    return link.send(header, "echo", {}) && loop.run_until([&] { return answers > 0; });
  }

  test::ManualLoop loop;
  Context context;
  Traffic traffic, at_client;
  std::vector<std::string> reported;
  Server server{loop, context, Limits(), traffic, [this](const Connection& from, const wire::EnvelopeView& envelope) {
                  wire::Header header = envelope.header;
                  header.kind = wire::Kind::reply;
                  Bytes none;
                  (void)server.send(from, header, none);
                }};
  const Result<std::string> endpoint = server.bind("tcp://127.0.0.1:*");
};

}  // namespace

TEST_CASE_METHOD(Fixture, "idle connections never take the last files of a process, and it serves when they are gone") {
  REQUIRE(echoes());
  constexpr rlim_t kRoom = 150;
  const rlim_t before = files_open();
  const FileLimit limit(before + kRoom);
  {
    std::vector<test::RawConnection> strangers;  // each costs this process two files: its own and the server's
    while (strangers.size() < kRoom / 2 && context.refused_connections().no_files == 0) {
      strangers.emplace_back(*endpoint);
      (void)loop.run_until([&] { return context.refused_connections().no_files > 0; }, 5ms);
    }
    REQUIRE(context.refused_connections().no_files > 0);
    CHECK(strangers.size() > 40);
    for (int i = 0; i < 10; ++i) {
      const test::RawConnection one_more(*endpoint);
      REQUIRE(loop.run_until([&] { return one_more.closed_within(1ms); }));
    }
    CHECK(context.refused_connections().no_files > 10);
    CHECK(files_open() + Admission::kFilesReserved / 2 < before + kRoom);
    REQUIRE(reported.size() == 1);
    CHECK(reported.front().starts_with("no_files tcp://127.0.0.1:"));
  }
  CHECK(echoes());
}

TEST_CASE_METHOD(Fixture, "a descriptor that belongs to something else by now is left alone") {
  Admission admission;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const FileLimit limit(static_cast<rlim_t>(pipe[1]) + 2);  // every file is one of the last
  admission.accepted(pipe[0], *endpoint, loop.now());
  admission.accepted(-1, *endpoint, loop.now());
  CHECK(admission.refused().no_files == 0);
  CHECK(::write(pipe[1], "x", 1) == 1);
  ::close(pipe[0]);
  ::close(pipe[1]);
}
