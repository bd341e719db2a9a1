// weft-node: starts, watches, restarts and stops what the fleet file places on this host.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "node/host_node.hpp"

using namespace weft;
using namespace weft::node;

namespace {

constexpr const char* kUsage =
    R"(usage: weft-node --fleet FILE [--host HOST] [--address HOST=ADDRESS]... [--state DIR] [--run DIR] [--progress] [--detach]

  --fleet FILE            which agents run where
  --host HOST             which host of the fleet this is (default: WEFT_HOST, or the one named as this machine)
  --address HOST=ADDRESS  another address than the fleet file's; may be repeated
  --state DIR             databases, spools, logs; kept
  --run DIR               sockets; a short path
  --progress              shows the start on stdout, and logs to <state>/log/node.log
  --detach                goes to the background when everything is ready or has failed

)";

program::About about() {
  program::About out;
  out.agent = "node";
  out.version = WEFT_VERSION;
  out.summary = "Starts, watches, restarts and stops what the fleet file places on this host.";
  out.config_defaults = "admin: {port: " + std::to_string(kNode.admin_port) + "}";
  return out;
}

/// What Program needs to see of the command line.
std::vector<char*> rest_of(char* own_name, NodeOptions& options) {
  std::vector<char*> argv{own_name};
  for (auto& argument : options.rest) argv.push_back(argument.data());
  return argv;
}

int refuse(const Error& error, int code) {
  std::fprintf(stderr, "weft-node: %s\n", error.describe().c_str());
  return code;
}

/// A second hold on stderr, for messages to the person who started this while the log goes elsewhere.
std::FILE* keep_stderr() {
  const int fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  return fd < 0 ? stderr : ::fdopen(fd, "w");
}

Progress::Style style_of(const NodeOptions& options) {
  if (!options.progress) return Progress::Style::silent;
  return options.json ? Progress::Style::json : Progress::Style::text;
}

int run(Prepared prepared, char* own_name) {
  Background background;
  if (prepared.options.detach) {
    if (auto gone = background.detach(); !gone) return refuse(gone.error(), program::exit_code::internal);
  }
  if (auto made = create(prepared.places); !made) return refuse(made.error(), program::exit_code::cannot_create);
  auto lock = NodeLock::take(prepared.places.lock_file());
  if (!lock) return refuse(lock.error(), program::exit_code::temporary);
  auto claims = Claims::begin(prepared.places.claims_file(), SystemClock().wall());
  if (!claims) return refuse(claims.error(), program::exit_code::cannot_create);
  const auto former = crash_of_former_node(prepared.places.crash_file("node"), prepared.places.log_of("node"));
  enter_environment(prepared, claims->next());
  auto argv = rest_of(own_name, prepared.options);
  std::FILE* messages = keep_stderr();
  if (prepared.options.progress) {
    const auto log = prepared.places.log_of("node");
    if (auto sent = send_stderr_to(log)) {
      (void)::setenv("WEFT_LOG_FILE", log.c_str(), 1);
    } else {
      std::fprintf(messages, "weft-node: %s; it logs to stderr\n", sent.error().describe().c_str());
    }
  }
  auto started = program::Program::start(static_cast<int>(argv.size()), argv.data(), about());
  if (const int* code = std::get_if<int>(&started)) return *code;
  program::Program& program = *std::get<0>(started);
  Progress progress(program.loop(), style_of(prepared.options), stdout, messages, prepared.options.detach);
  // From here on weft down finds this node: a stop is honoured as soon as the loop runs.
  if (auto written = write_context(prepared.places.context_file, context_of(prepared, "")); !written)
    program.log().error("command-line tools cannot find this mesh by themselves", written.error());
  const auto fail = [&](const Error& error) {
    remove_context(prepared.places);
    program.log().error("this host cannot start", error);
    progress.fail(error, "");
    return error.is(codes::port_taken) ? program::exit_code::temporary : program::exit_code_of(error);
  };
  if (auto admin = program.open_admin(); !admin) return fail(admin.error());
  HostNode node(program, prepared, *claims, progress, background);
  if (auto opened = node.open(); !opened) return fail(opened.error());
  if (former) node.report(event_of_former_node(*former));
  const int code = program.run([&node] { return node.drain(); }, HostNode::kStopBudget);
  node.clean_up();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = parse_options({argv + 1, argv + argc});
  if (!options) return refuse(options.error(), program::exit_code::usage);
  const auto& rest = options->rest;
  const bool asks = options->help || std::find(rest.begin(), rest.end(), "--version") != rest.end();
  if (asks) {
    if (options->help) {
      std::fputs(kUsage, stdout);
      options->rest = {"--help"};
    }
    auto words = rest_of(argv[0], *options);
    auto said = program::Program::start(static_cast<int>(words.size()), words.data(), about());
    const int* code = std::get_if<int>(&said);
    return code ? *code : program::exit_code::ok;
  }
  auto prepared = prepare(std::move(*options));
  if (const int* code = std::get_if<int>(&prepared)) return *code;
  return run(std::move(std::get<Prepared>(prepared)), argv[0]);
}
