// What became of a message, as its sender and its receivers remember it. Pure.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cli/trace_tree.hpp"

namespace weft::cli {

/// One thing that happened to it.
struct StoryStep {
  std::string step;          ///< "sent", "received", "dropped", "handled", "ended", "unknown"
  std::int64_t time_us = 0;  ///< wall time, by the clock of the host where it happened; 0: unknown
  std::string where;         ///< "echo@alpha"
  std::string what;          ///< one sentence
};
struct Story {
  std::string message;   ///< "9f86d081884c7d65-4294967297"; empty: it was not sent
  std::string name;      ///< "agent.method", or the topic
  std::string trace_id;  ///< may be empty
  bool failed = false;   ///< it ended with an error, or was dropped
  std::vector<StoryStep> steps;
};

/// One story for each message, in the order in which they began. `senders`: "agent@host" by the 16 hex digits of its
/// instance.
std::vector<Story> stories_of(const std::vector<TracedSpan>& spans, const std::map<std::string, std::string>& senders);

}  // namespace weft::cli
