// One question about spans to every process of the mesh, and this command itself.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cli/trace_tree.hpp"

namespace weft::cli {

/// What the processes of the mesh still have.
struct Collected {
  std::vector<TracedSpan> spans;
  std::uint64_t more = 0;
  std::set<std::string> silent;  ///< who did not answer

  void add(const std::string& process, const peer::SpansReply& reply);
};

/// Waits for each at most a second. `request` must live as long.
Task<Collected> ask_spans(Session& session, const peer::SpansRequest& request);
/// Who did not answer, and what is left out, on stderr.
void tell_gaps(const Global& global, const Collected& found);

}  // namespace weft::cli
