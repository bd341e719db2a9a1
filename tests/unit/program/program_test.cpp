#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "tests/support/catch.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/program/program.hpp"

using namespace weft;
using program::Program;
namespace exit_code = program::exit_code;

namespace {

/// What the code under test writes to stdout or stderr, kept in a file as long as this lives.
class Captured {
 public:
  Captured(int fd, std::string file) : fd_(fd), saved_(::dup(fd)), file_(std::move(file)) {
    std::fflush(nullptr);
    const int to = ::open(file_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    ::dup2(to, fd_);
    ::close(to);
  }
  ~Captured() {
    std::fflush(nullptr);
    ::dup2(saved_, fd_);
    ::close(saved_);
  }
  Captured(const Captured&) = delete;
  std::string text() const {
    std::fflush(nullptr);
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  int fd_, saved_;
  std::string file_;
};

struct ProgramFixture {
  std::variant<std::unique_ptr<Program>, int> start(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"/usr/bin/weft-sample", "--config-dir", dir.path()});
    std::vector<char*> argv;
    for (auto& flag : flags) argv.push_back(flag.data());
    return Program::start(static_cast<int>(argv.size()), argv.data(), {"sample", "1.2.3", "A sample."});
  }
  int code(std::vector<std::string> flags) { return std::get<int>(start(std::move(flags))); }
  std::unique_ptr<Program> program(std::vector<std::string> flags = {}) {
    return std::move(std::get<0>(start(std::move(flags))));
  }
  test::TempDir dir;
  Captured out{STDOUT_FILENO, dir / "out.txt"}, err{STDERR_FILENO, dir / "err.txt"};
};

Task<void> nothing() { co_return; }
bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_METHOD(ProgramFixture, "help ends with examples, and the version is one line") {
  CHECK(code({"--help"}) == exit_code::ok);
  CHECK(has(out.text(), "Examples:"));
  CHECK(has(out.text(), "weft-sample --check"));
  CHECK(code({"--version"}) == exit_code::ok);
  CHECK(has(out.text(), "weft-sample 1.2.3\n"));
  CHECK(err.text().empty());
}

TEST_CASE_METHOD(ProgramFixture, "an unknown flag is a usage mistake that names the nearest") {
  CHECK(code({"--chekc"}) == exit_code::usage);
  CHECK(has(err.text(), "weft-sample: unknown flag '--chekc', did you mean '--check'?\n"));
  CHECK(code({"stray"}) == exit_code::usage);
  CHECK(code({"--set"}) == exit_code::usage);
  CHECK(code({"--name", "a b"}) == exit_code::usage);
  CHECK(code({"--log-level", "inof"}) == exit_code::usage);
  CHECK(has(err.text(), "did you mean 'info'?"));
  CHECK(out.text().empty());
}

TEST_CASE_METHOD(ProgramFixture, "a good configuration is checked and nothing else is done") {
  CHECK(code({"--check"}) == exit_code::ok);
  CHECK(out.text() == "configuration ok\n");
}

TEST_CASE_METHOD(ProgramFixture, "every mistake of the configuration is told on a line of its own") {
  dir.write("base.yaml", "log:\n  levl: info\nadmin:\n  port: 70000\n");
  for (const auto& flags : {std::vector<std::string>{"--check"}, std::vector<std::string>{}}) {
    CHECK(code(flags) == exit_code::config);
    CHECK(has(err.text(), "base.yaml:2:3: log.levl: "));
    CHECK(has(err.text(), "base.yaml:4:9: admin.port: "));
  }
  CHECK(out.text().empty());
}

TEST_CASE_METHOD(ProgramFixture, "flags and variables reach the configuration") {
  ::setenv("WEFT__MESH__NAME", "lab", 1);
  ::setenv("WEFT_HOST", "beta", 1);
  const auto self =
      program({"--set", "admin.port=0", "--set", "log.format=json", "--log-level", "warn", "--name", "two"});
  ::unsetenv("WEFT__MESH__NAME");
  ::unsetenv("WEFT_HOST");
  CHECK(self->agent() == "two");
  CHECK(self->version() == "1.2.3");
  CHECK(self->config().at("mesh.name") == Value("lab"));
  CHECK(self->config().at("host.name") == Value("beta"));
  CHECK_FALSE(self->log().enabled(observe::Level::info));
}

TEST_CASE_METHOD(ProgramFixture, "a host without a name in the configuration is called as the machine") {
  char name[256] = {};
  REQUIRE(::gethostname(name, sizeof name - 1) == 0);
  CHECK(std::string(name).starts_with(program()->config().get<std::string>("host.name")));
}

TEST_CASE_METHOD(ProgramFixture, "the admin door tells who this is and whether it is ready") {
  auto self = program({"--set", "mesh.name=lab"});
  CHECK(self->admin_address().empty());
  REQUIRE(self->open_admin());
  const auto get = [&](const std::string& path) {
    return *test::run_task(self->loop(), io::http_get(self->loop(), "http://" + self->admin_address() + path));
  };
  self->on_info([] { return Value(Value::Map{{"instance", "01J"}}); });
  const auto info = *from_json(get("/info").body);
  CHECK(info["agent"] == Value("sample"));
  CHECK(info["mesh"] == Value("lab"));
  CHECK(info["instance"] == Value("01J"));
  CHECK(info["pid"] == Value(::getpid()));
  CHECK(info["config_hash"] == Value(self->config().hash()));
  CHECK(get("/startupz").status == 503);
  self->ready();
  CHECK(get("/readyz").status == 200);
  CHECK(has(get("/metrics").body, "weft_config_last_reload_successful 1\n"));
  CHECK(has(get("/metrics").body, "weft_log_lines_total{level=\"info\"} 1\n"));
}

TEST_CASE_METHOD(ProgramFixture, "an admin port that is taken is told with the port and the key that set it") {
  auto first = program();
  REQUIRE(first->open_admin());
  const auto port = first->admin_address().substr(first->admin_address().find(':') + 1);
  auto second = program({"--set", "admin.port=" + port});
  const auto taken = second->open_admin();
  REQUIRE_FALSE(taken);
  CHECK(taken.error().is(codes::port_taken));
  CHECK(has(taken.error().message, "127.0.0.1:" + port));
  CHECK(has(taken.error().message, "admin.port is set by --set admin.port=" + port));
  CHECK(program::exit_code_of(taken.error()) == exit_code::unavailable);
}

TEST_CASE_METHOD(ProgramFixture, "the admin door binds where it is told, and others hear an address they can reach") {
  auto self = program({"--set", "admin.bind=any", "--set", "host.address=127.0.0.5"});
  REQUIRE(self->open_admin());
  CHECK(self->admin_address().starts_with("127.0.0.5:"));
  CHECK(test::run_task(self->loop(), io::http_get(self->loop(), "http://" + self->admin_address() + "/livez")));
  auto bad = program({"--set", "admin.bind=host", "--set", "host.address=192.0.2.1"});
  const auto refused = bad->open_admin();
  REQUIRE_FALSE(refused);
  CHECK(has(refused.error().message, "host.address"));
}

TEST_CASE_METHOD(ProgramFixture, "a process that is told to terminate drains, is no longer ready, and exits with 0") {
  for (const int number : {SIGTERM, SIGINT}) {
    auto self = program();
    self->ready();
    bool drained = false;
    self->loop().post([number] { ::raise(number); });
    const int exit = self->run(
        [&]() -> Task<void> {
          CHECK_FALSE(self->health().ready());
          CHECK_FALSE(self->health().checks().at("draining").ok);
          co_await sleep_for(self->loop(), 1ms);
          drained = true;
        },
        10s);
    CHECK(exit == exit_code::ok);
    CHECK(drained);
  }
}

TEST_CASE_METHOD(ProgramFixture, "draining ends when its budget does") {
  auto self = program();
  self->quit(3);
  CHECK(self->run([&]() -> Task<void> { co_await sleep_for(self->loop(), 1h); }, 1ms) == 3);
  CHECK(has(err.text(), "draining took too long"));
}

TEST_CASE_METHOD(ProgramFixture, "the last spans are exported, with who they are of, before the process ends") {
  test::HttpSink sink;
  const auto endpoint = sink.url("");
  ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.c_str(), 1);
  auto self = program({"--set", "mesh.name=lab", "--name", "two"});
  ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
  self->tracer().set_instance("01J");
  bool drained = false;
  self->quit(0);
  CHECK(self->run(
            [&]() -> Task<void> {
              observe::Span span;
              span.context = self->tracer().start({});
              self->tracer().record(span);
              co_await sleep_for(self->loop(), 1ms);
              drained = true;
            },
            10s) == exit_code::ok);
  CHECK(drained);
  const auto sent = sink.requests().at(0);
  for (const auto* part : {"POST /v1/traces ", "two", "lab", "1.2.3", "01J", "service.namespace"})
    CHECK(has(sent, part));
}

TEST_CASE_METHOD(ProgramFixture, "a collector that does not answer does not keep a process from its end") {
  test::HttpSink sink;
  sink.answer("");
  const auto endpoint = sink.url("");
  ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.c_str(), 1);
  auto self = program();
  ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
  observe::Span span;
  span.context = self->tracer().start({});
  self->tracer().record(span);
  self->quit(0);
  CHECK(self->run(nullptr, 10s) == exit_code::ok);
  CHECK(has(err.text(), "spans cannot be exported now"));
  CHECK(self->metrics().counter("weft_spans_dropped_total", "", {{"reason", "shutdown"}}).value() == 1);
}

TEST_CASE_METHOD(ProgramFixture, "a wrong variable of tracing is told, and the process starts") {
  ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.example", 1);
  auto self = program();
  ::unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
  CHECK(has(err.text(), "a collector on this host"));
  CHECK_FALSE(self->tracer().start({}).sampled());
}

TEST_CASE_METHOD(ProgramFixture, "a second signal ends the process at once") {
  for (const int number : {SIGTERM, SIGINT}) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto self = program();
      self->loop().post([number] { ::raise(number); });
      self->run(
          [&]() -> Task<void> {
            ::raise(number);
            co_await sleep_for(self->loop(), 1h);
          },
          1h);
      ::_exit(99);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 128 + number));
  }
}

TEST_CASE_METHOD(ProgramFixture, "a bug in a callback ends the process with a line and exit code 70") {
  auto self = program();
  self->loop().post([] { throw std::logic_error("oops"); });
  CHECK(self->run(nothing, 1s) == exit_code::internal);
  CHECK(has(err.text(), "oops"));
}

TEST_CASE_METHOD(ProgramFixture, "HUP loads the configuration anew, all or nothing") {
  dir.write("base.yaml", "log: {level: info}\n");
  auto self = program();
  std::vector<std::string> seen;
  self->on_reload([&](const config::Config& fresh) {
    seen.push_back(fresh.get<std::string>("mesh.name"));
    if (seen.back() == "refused") throw std::runtime_error("no such mesh");
  });
  const auto successful = [&] { return self->metrics().gauge("weft_config_last_reload_successful", "").value(); };

  const auto reload = [&](const char* yaml, double wanted) -> Task<void> {
    self->metrics().gauge("weft_config_last_reload_successful", "").set(-1);
    dir.write("base.yaml", yaml);
    ::raise(SIGHUP);
    while (successful() < 0) co_await sleep_for(self->loop(), 1ms);
    CHECK(successful() == wanted);
  };
  const auto story = [&]() -> Task<void> {
    co_await reload("mesh: {name: lab}\nlog: {level: nonsense}\n", 0);
    CHECK(seen.empty());
    co_await reload("mesh: {name: refused}\n", 0);
    CHECK(self->config().at("mesh.name") == Value("weft"));
    co_await reload("mesh: {name: lab}\nlog: {level: debug}\n", 1);
    self->quit(0);
  };
  TaskScope scope;
  scope.spawn(story());
  CHECK(self->run(nothing, 1s) == exit_code::ok);
  CHECK(seen == std::vector<std::string>{"refused", "lab"});
  CHECK(self->config().at("mesh.name") == Value("lab"));
  CHECK(self->log().enabled(observe::Level::debug));
}

TEST_CASE_METHOD(ProgramFixture, "a supervisor hears READY, STOPPING, and the watchdog where it asked for one") {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un own{};
  own.sun_family = AF_UNIX;
  const auto path = dir / "notify";
  std::memcpy(own.sun_path, path.c_str(), path.size());
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2000", 1);
  auto self = program();
  self->loop().watch(fd, [&] {
    std::string all;
    char text[100];
    for (ssize_t n = 0; (n = ::recv(fd, text, sizeof text, MSG_DONTWAIT)) > 0;)
      all += std::string(text, static_cast<std::size_t>(n)) + "\n";
    static int beats = 0;
    if (has(all, "WATCHDOG=1") && ++beats == 3) self->ready();
    if (has(all, "READY=1")) self->quit(0);
  });
  CHECK(self->run(nothing, 1s) == exit_code::ok);
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  char text[100];
  std::string rest;
  for (ssize_t n = 0; (n = ::recv(fd, text, sizeof text, MSG_DONTWAIT)) > 0;)
    rest += std::string(text, static_cast<std::size_t>(n)) + "\n";
  CHECK(has(rest, "STOPPING=1"));
  ::close(fd);
}

TEST_CASE("exit codes tell a supervisor what to think") {
  CHECK(program::exit_code_of(Error(codes::bad_config, "")) == exit_code::config);
  CHECK(program::exit_code_of(Error(codes::bad_usage, "")) == exit_code::usage);
  CHECK(program::exit_code_of(Error(codes::fenced, "")) == exit_code::denied);
  CHECK(program::exit_code_of(Error(codes::queue_full, "")) == exit_code::temporary);
  CHECK(program::exit_code_of(Error(codes::bug, "")) == exit_code::internal);
  CHECK(program::exit_code_of(Error(codes::disk_full, "")) == exit_code::cannot_create);
  CHECK(program::exit_code_of(Error(codes::already_running, "")) == exit_code::failed);
}
