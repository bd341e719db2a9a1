// What the verbs that talk take as arguments: targets and payloads.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.hpp"
#include "weft/base/base.hpp"
#include "weft/wire/payload.hpp"

namespace weft::cli {

/// AGENT.METHOD[@HOST]
struct Target {
  std::string agent, method;
  std::string host;  ///< empty: any
  std::string text() const { return agent + "." + method; }
};
/// Errors: `bad_usage` that says what is missing.
Result<Target> parse_target(std::string_view text);

/// Each is NAME:VALUE. Errors: `bad_usage` for what is none, and for a name that comes twice.
Result<wire::Headers> parse_headers(const std::vector<std::string>& words);
Option header_option(std::vector<std::string>& words);

/// `text` is JSON, or with `raw` just bytes; "-" reads all of stdin. Errors: `bad_usage`, `too_large`.
Result<wire::Payload> read_payload(const std::string& text, bool raw);
/// What a payload is as JSON: MessagePack and JSON as they are, raw bytes as a string where they are UTF-8.
Value shown(const wire::Payload& payload);
/// The same as a text for a terminal: JSON on one line; raw bytes as they are, control characters replaced.
std::string shown_text(const wire::Payload& payload);

}  // namespace weft::cli
