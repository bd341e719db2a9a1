// What the verbs of `weft` share. Each noun group is one file with one `add_xxx_commands(CLI::App&, Global&)`, which
// main.cpp calls:
//
//   void add_config_commands(CLI::App& app, Global& global) {
//     auto* group = add_group(app, "config", "Look at the effective configuration");
//     auto* show = add_verb(*group, "show", "Print the merged configuration", {"weft config show --host alpha"});
//     auto options = std::make_shared<ShowOptions>();  // CLI11 keeps references: the callback must hold it
//     show->add_option("--host", options->host, "As the host NAME would see it")->type_name("NAME");
//     on_run(*show, global, [&global, options] { return show_config(global, *options); });   // -> exit code
//   }
//
// A verb prints data to stdout and messages to stderr, and returns an exit code: kDone, kFailed or kUsage. With
// global.json it prints one JSON document (print_json), or one object a line where it streams. Failures go through
// fail(). main() leaves SIGPIPE at its default, so `weft list | head -1` ends quietly; a verb that owns other processes
// ignores it itself.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"
#include "weft/base/base.hpp"

namespace weft::cli {

inline constexpr int kDone = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

/// The options before or after any verb, and the verb that was chosen.
struct Global {
  bool json = false;
  bool quiet = false;    ///< no messages but errors
  bool verbose = false;  ///< what is done on the way, on stderr
  bool no_color = false;
  std::string registry;  ///< call endpoint; from --registry or WEFT_REGISTRY; may be empty
  std::string context;   ///< "mesh@host"; from --context or WEFT_CONTEXT; may be empty
  Duration timeout = std::chrono::seconds(5);
  std::function<int()> action;  ///< set by the verb's callback, run by main()
};

CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& summary);
/// `examples` are whole command lines; the help of the verb ends with them.
CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& summary,
                   const std::vector<std::string>& examples);
void on_run(CLI::App& verb, Global& global, std::function<int()> action);
/// A duration option ("500ms", "2s"); a value without unit is a usage error. The help says what `out` holds now.
CLI::Option* add_duration(CLI::App& verb, const std::string& names, Duration& out, const std::string& text);
struct Bounds {
  std::uint64_t least, most;
};
/// A whole number; outside of `bounds` it is a usage error. The help says what `out` holds now.
CLI::Option* add_number(CLI::App& verb, const std::string& names, std::uint64_t& out, Bounds bounds,
                        const std::string& text);

/// Tells `error` on stderr, and with --json as {"error": …} on stdout too; returns kUsage for
/// `bad_usage`, else kFailed.
int fail(const Global& global, const Error& error);
/// The same on stderr only: one of several failures, while stdout gets the document of what did not fail.
int complain(const Global& global, const Error& error);
/// A line on stderr unless --quiet.
void note(const Global& global, std::string_view text);

/// The whole command tree; what is parsed goes into `global`.
void build_root(CLI::App& app, Global& global);
/// Parses, runs, returns the exit code; tells usage mistakes with the nearest known word.
int run(int argc, const char* const* argv);

// One file each.
void add_call_command(CLI::App& app, Global& global);      ///< call
void add_breaker_commands(CLI::App& app, Global& global);  ///< breaker list|open|close|auto
void add_topic_commands(CLI::App& app, Global& global);    ///< pub, sub
void add_node_commands(CLI::App& app, Global& global);     ///< up, down, ps, logs
void add_agent_commands(CLI::App& app, Global& global);    ///< list, info
void add_trace_commands(CLI::App& app, Global& global);    ///< trace call|show
void add_tree_command(CLI::App& app, Global& global);      ///< tree
void add_ledger_command(CLI::App& app, Global& global);    ///< ledger
void add_latency_commands(CLI::App& app, Global& global);  ///< ping, latency
void add_why_commands(CLI::App& app, Global& global);      ///< why call|topic|agent|message
void add_top_command(CLI::App& app, Global& global);       ///< top
void add_bench_commands(CLI::App& app, Global& global);    ///< bench call|pub|queue
void add_errors_commands(CLI::App& app, Global& global);   ///< errors list|tail|show|ack|resolve|archive|reopen
void add_basic_commands(CLI::App& app, Global& global);    ///< version, explain, completion
void add_config_commands(CLI::App& app, Global& global);   ///< config check|explain|show
void add_keys_commands(CLI::App& app, Global& global);     ///< keys new|public
void add_queue_commands(CLI::App& app, Global& global);    ///< queue list|info|push
void add_check_commands(CLI::App& app, Global& global);    ///< check versions
void add_dlq_commands(CLI::App& app, Global& global);      ///< dlq list|show|replay|edit|purge

/// The bash completion of the tree under `app`.
std::string bash_completion(const CLI::App& app);

}  // namespace weft::cli
