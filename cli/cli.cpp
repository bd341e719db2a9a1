// The root of the tree of verbs, and how failures are reported.
#include "cli/cli.hpp"

#include <cstdio>

#include "cli/command_line.hpp"
#include "cli/usage.hpp"

namespace weft::cli {

namespace {

constexpr const char* kRootFooter =
    "Examples:\n"
    "  weft list                          every agent of the mesh\n"
    "  weft call digest.summary '{}'      call a method, print its answer\n"
    "  weft sub 'host.*.metrics'          watch what is published\n"
    "\nThe mesh is found through --registry, --context, or the nodes that run on this machine.\n"
    "'weft VERB --help' shows the options and examples of a verb; 'weft explain WEFT-2003' explains an error.";

std::vector<Option> global_options(Global& global) {
  return {flag("-j,--json", global.json, "Print JSON: one document, or one object a line where it streams"),
          text("--registry", global.registry, "URL", "Call endpoint of a registry, as tcp://127.0.0.1:7411")
              .from_environment("WEFT_REGISTRY"),
          text("--context", global.context, "MESH@HOST", "Which of this machine's nodes to ask, as demo@alpha")
              .from_environment("WEFT_CONTEXT"),
          duration("--timeout", global.timeout, "How long to wait for an answer"),
          flag("--no-color", global.no_color, "No colours (as with NO_COLOR)"),
          flag("-q,--quiet", global.quiet, "No messages but errors"),
          flag("-v,--verbose", global.verbose, "Say what is done on the way")};
}

}  // namespace

int fail(const Global& global, const Error& error) {
  if (global.json) print_json(error_document(error));
  return complain(global, error);
}

int complain(const Global& global, const Error& error) {
  const bool color = color_on_stderr(global.no_color);
  std::fprintf(stderr, "%s %s\n", color ? "\x1b[31merror:\x1b[0m" : "error:", printable(error.describe()).c_str());
  return error.is(codes::bad_usage) ? kUsage : kFailed;
}

void note(const Global& global, std::string_view text) {
  if (!global.quiet) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

Verb root_verb(Global& global) {
  Verb root{.name = "weft",
            .summary = "weft: look into a mesh of agents, talk to it, run it.",
            .options = global_options(global),
            .footer = kRootFooter};
#define WEFT_CLI_FACTORY(factory) factory,
  constexpr std::vector<Verb> (*kFactories[])() = {WEFT_CLI_VERBS(WEFT_CLI_FACTORY)};
#undef WEFT_CLI_FACTORY
  for (const auto factory : kFactories) {
    for (auto& verb : factory()) root.verbs.push_back(std::move(verb));
  }
  return root;
}

int run(int argc, const char* const* argv) {
  Global global;
  const Verb root = root_verb(global);
  const CommandLine line = parse(root, "weft " WEFT_VERSION, argc, argv);
  if (line.mistake) {
    global.json = global.json || asks_for_json(argc, argv);
    return fail(global, *line.mistake);
  }
  if (line.asks_for_text) {
    std::fputs(line.help.c_str(), stdout);
    return kDone;
  }
  if (line.verb().run) return line.verb().run(global);
  std::fputs(line.help.c_str(), stderr);
  return kUsage;
}

}  // namespace weft::cli
