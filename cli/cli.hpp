// What the verbs of `weft` share. A new verb is: its file, one line in WEFT_CLI_VERBS below, one in meson.build.
//
//   struct ShowArguments { std::string host; };
//
//   std::vector<Verb> config_verbs() {
//     auto show = std::make_shared<ShowArguments>();  // options point into it, so `run` holds it
//     return {{.name = "config",
//              .summary = "Look at the effective configuration",
//              .verbs = {{.name = "show",
//                         .summary = "Print the merged configuration",
//                         .examples = {"weft config show --host alpha"},
//                         .options = {text("--host", show->host, "NAME", "As the host NAME would see it")},
//                         .run = [show](const Global& global) { return show_config(global, *show); }}}}};
//   }
//
// cli/verb.hpp has the kinds of options. Help, completion and the messages about mistakes come from this description;
// a verb that talks to the mesh runs its work by run_in_mesh() of cli/session.hpp.
//
// A verb prints data to stdout and messages to stderr, and returns an exit code: kDone, kFailed or kUsage. With
// global.json it prints one JSON document (print_json), or one object a line where it streams. Failures go through
// fail(). main() leaves SIGPIPE at its default, so `weft list | head -1` ends quietly; a verb that owns other processes
// ignores it itself.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace weft::cli {

/// Every factory of top-level verbs, in the order of the help.
#define WEFT_CLI_VERBS(X)                                                 \
  X(node_verbs)    /* up, down, ps */                                     \
  X(log_verbs)     /* logs */                                             \
  X(agent_verbs)   /* list, info */                                       \
  X(check_verbs)   /* check versions */                                   \
  X(tree_verbs)    /* tree */                                             \
  X(ledger_verbs)  /* ledger */                                           \
  X(trace_verbs)   /* trace call|show */                                  \
  X(latency_verbs) /* ping, latency */                                    \
  X(why_verbs)     /* why call|topic|agent|message */                     \
  X(top_verbs)     /* top */                                              \
  X(bench_verbs)   /* bench call|queue|pub */                             \
  X(call_verbs)    /* call */                                             \
  X(breaker_verbs) /* breaker list|open|close|auto */                     \
  X(topic_verbs)   /* pub, sub */                                         \
  X(queue_verbs)   /* queue list|info|push */                             \
  X(dlq_verbs)     /* dlq list|show|replay|edit|purge */                  \
  X(errors_verbs)  /* errors list|tail|show|ack|resolve|archive|reopen */ \
  X(basic_verbs)   /* version, explain, completion */                     \
  X(config_verbs)  /* config check|show|explain */                        \
  X(keys_verbs)    /* keys new|public */

#define WEFT_CLI_DECLARE(factory) std::vector<Verb> factory();
WEFT_CLI_VERBS(WEFT_CLI_DECLARE)
#undef WEFT_CLI_DECLARE

inline constexpr int kDone = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

/// The options before or after any verb.
struct Global {
  bool json = false;
  bool quiet = false;    ///< no messages but errors
  bool verbose = false;  ///< what is done on the way, on stderr
  bool no_color = false;
  std::string registry;  ///< call endpoint; from --registry or WEFT_REGISTRY; may be empty
  std::string context;   ///< "mesh@host"; from --context or WEFT_CONTEXT; may be empty
  Duration timeout = 5s;
};

/// Prints `error` on stderr, and with --json as {"error": …} on stdout too; returns kUsage for
/// `bad_usage`, else kFailed.
int fail(const Global& global, const Error& error);
/// The same on stderr only: one of several failures, while stdout gets the document of what did not fail.
int complain(const Global& global, const Error& error);
/// A line on stderr unless --quiet.
void note(const Global& global, std::string_view text);

/// The whole tree of verbs; its global options point into `global`.
Verb root_verb(Global& global);
/// Parses, runs, returns the exit code; reports usage mistakes with the nearest known word.
int run(int argc, const char* const* argv);

/// The bash completion of the tree under `root`.
std::string bash_completion(const Verb& root);

}  // namespace weft::cli
