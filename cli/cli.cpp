// The root of the command tree, and what is said when a command line is wrong.
#include "cli/cli.hpp"

#include <cstdio>
#include <cstdlib>

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

void add_global_options(CLI::App& app, Global& global) {
  app.add_flag("-j,--json", global.json, "Print JSON: one document, or one object a line where it streams");
  app.add_option("--registry", global.registry, "Call endpoint of a registry, as tcp://127.0.0.1:7411")
      ->envname("WEFT_REGISTRY")
      ->type_name("URL");
  app.add_option("--context", global.context, "Which of this machine's nodes to ask, as demo@alpha")
      ->envname("WEFT_CONTEXT")
      ->type_name("MESH@HOST");
  add_duration(app, "--timeout", global.timeout, "How long to wait for an answer");
  app.add_flag("--no-color", global.no_color, "No colours (as with NO_COLOR)");
  app.add_flag("-q,--quiet", global.quiet, "No messages but errors");
  app.add_flag("-v,--verbose", global.verbose, "Say what is done on the way");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
}

constexpr const char* kExamples = "\n\nExamples:";

std::string footer_of(const std::vector<std::string>& examples) {
  std::string text = "The options of every verb (--json, --registry, --timeout, …) are in 'weft --help'.";
  text += kExamples;
  for (const auto& example : examples) text += "\n  " + example;
  return text;
}

/// A group's help ends with the first example of each of its verbs.
void add_example_to(CLI::App& group, const std::vector<std::string>& examples) {
  if (group.get_parent() == nullptr || examples.empty()) return;
  std::string text = group.get_footer();
  if (text.find(kExamples) == std::string::npos) text = "'" + path_of(group) + " VERB --help' shows more." + kExamples;
  group.footer(text + "\n  " + examples.front());
}

/// The innermost verb that was parsed.
const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

int usage_failure(const Global& global, const CLI::App& app, const CLI::ParseError& problem) {
  const CLI::App& where = innermost(app);
  const Error error(codes::bad_usage, usage_message(where, problem), "try '" + path_of(where) + " --help'");
  (void)fail(global, error);
  return kUsage;
}

}  // namespace

CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& summary) {
  auto* group = app.add_subcommand(name, summary);
  group->require_subcommand(0, 1);  // none is told by run(), with the help
  group->footer("");                // not that of the root: add_verb() fills it
  return group;
}

CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& summary,
                   const std::vector<std::string>& examples) {
  auto* verb = parent.add_subcommand(name, summary);
  verb->require_subcommand(0, 1);
  verb->footer(footer_of(examples));
  add_example_to(parent, examples);
  return verb;
}

void on_run(CLI::App& verb, Global& global, std::function<int()> action) {
  verb.callback([&global, action = std::move(action)] { global.action = action; });
}

CLI::Option* add_duration(CLI::App& verb, const std::string& names, Duration& out, const std::string& text) {
  const auto read = [&out, names](const CLI::results_t& words) {
    auto duration = duration_from(words.at(0));
    if (!duration) throw CLI::ValidationError(names, duration.error().message);
    out = *duration;
    return true;
  };
  const std::string otherwise = out > Duration::zero() ? " (" + to_text(out) + ")" : "";
  return verb.add_option(names, read, text + otherwise)->type_name("DURATION");
}

CLI::Option* add_number(CLI::App& verb, const std::string& names, std::uint64_t& out, Bounds bounds,
                        const std::string& text) {
  CLI::Range within(bounds.least, bounds.most);
  within.description("");
  return verb.add_option(names, out, text + " (" + std::to_string(out) + ")")->check(within)->type_name("N");
}

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

void build_root(CLI::App& app, Global& global) {
  app.name("weft");
  app.description("weft: look into a mesh of agents, talk to it, run it.");
  app.fallthrough();  // global options may stand after the verb too; inherited by what is added below
  app.require_subcommand(0, 1);
  app.footer(kRootFooter);
  add_global_options(app, global);
  add_node_commands(app, global);
  add_agent_commands(app, global);
  add_check_commands(app, global);
  add_tree_command(app, global);
  add_ledger_command(app, global);
  add_trace_commands(app, global);
  add_latency_commands(app, global);
  add_why_commands(app, global);
  add_top_command(app, global);
  add_bench_commands(app, global);
  add_call_command(app, global);
  add_breaker_commands(app, global);
  add_topic_commands(app, global);
  add_queue_commands(app, global);
  add_dlq_commands(app, global);
  add_errors_commands(app, global);
  add_basic_commands(app, global);
  add_config_commands(app, global);
  add_keys_commands(app, global);
}

int run(int argc, const char* const* argv) {
  CLI::App app;
  Global global;
  build_root(app, global);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& shown) {  // --help, --version
    return app.exit(shown);
  } catch (const CLI::ParseError& problem) {
    global.json = global.json || asks_for_json(argc, argv);
    return usage_failure(global, app, problem);
  }
  if (global.action) return global.action();
  const CLI::App& group = innermost(app);
  const CLI::App* above = group.get_parent();
  std::fputs(group.help(above == nullptr ? "" : path_of(*above)).c_str(), stderr);
  return kUsage;
}

}  // namespace weft::cli
