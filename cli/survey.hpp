// Survey: one question to many instances at once, and who did not answer.
#pragma once
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "weft/wire/inspect.hpp"
#include "weft/wire/ledger_reply.hpp"

namespace weft::cli {

/// AGENT, AGENT@HOST, or nothing for all.
struct Who {
  std::string agent, host;
};
Option who_option(std::string& who);
/// Errors: `bad_usage`.
Result<Who> parse_who(std::string_view text);
/// In order of agent, host, instance. Errors: `unknown_agent` with the nearest name, or where it runs instead.
Result<std::vector<wire::InstanceRecord>> find_instances(const mesh::Directory& directory, const Who& who);

struct Answered {
  wire::InstanceRecord record;
  Result<wire::Payload> answer;
  Duration took{};  ///< from the question to its answer
};
/// Asks each for `method` (without the agent) within the session's timeout, `longest` at most; as many answers as
/// records, in their order.
Task<std::vector<Answered>> survey(Session& session, std::vector<wire::InstanceRecord> records, std::string method,
                                   Value request = {}, Duration longest = Duration::max());
/// "digest@alpha" for each that did not answer.
std::vector<std::string> silent(const std::vector<Answered>& answers);

// Read by several verbs; instantiated in survey.cpp.
extern template Result<wire::WaitsReply> read_as(const Result<wire::Payload>& answer);
extern template Result<wire::LedgerReply> read_as(const Result<wire::Payload>& answer);

/// "1.25 ms", "83 us", "2.1 s": three digits, for tables.
std::string shown_time(Duration duration);
/// "1234", "12.3 k", "1.23 M".
std::string shown_rate(double per_second);

/// Durations, in the order in which they came; sorted when asked.
class Distribution {
 public:
  void add(Duration one) { all_.push_back(one); }
  std::size_t size() const noexcept { return all_.size(); }
  /// `part` of all are not longer, 0 to 1; zero when there are none.
  Duration quantile(double part);
  /// {"p50_us": ..., "p90_us", "p99_us", "max_us", "min_us"}
  Value to_json();

 private:
  std::vector<Duration> all_;
};

}  // namespace weft::cli
