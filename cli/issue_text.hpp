// How issues and error events look in a terminal.
#pragma once
#include <vector>

#include "cli/output.hpp"
#include "errorbus/errorbus.hpp"

namespace weft::cli {

/// Seconds are enough: "2026-11-20T08:00:00Z".
std::string clock_time(std::int64_t us);
void print_issues(const std::vector<errorbus::Issue>& issues, WallTime now);
void print_events(const std::vector<errorbus::StoredEvent>& events);
void print_issue(const errorbus::IssueReply& reply);

}  // namespace weft::cli
