#include "cli/target.hpp"

#include <cstdio>

#include "cli/output.hpp"
#include "weft/base/target.hpp"
#include "weft/base/utf8.hpp"

namespace weft::cli {

namespace {

constexpr std::size_t kStdinMax = 16 * 1024 * 1024;

Error bad_target(std::string_view text, const std::string& why) {
  return Error(codes::bad_usage, "'" + std::string(text) + "' is no target: " + why,
               "a target is AGENT.METHOD or AGENT.METHOD@HOST, as digest.summary@alpha");
}

Result<std::string> all_of_stdin() {
  std::string text;
  char part[64 * 1024];
  while (const auto size = std::fread(part, 1, sizeof part, stdin)) {
    text.append(part, size);
    if (text.size() > kStdinMax) {
      return Error(codes::too_large,
                   "stdin has more than " + std::to_string(kStdinMax) + " bytes, the limit of a payload");
    }
  }
  return text;
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  Target target;
  const auto at = text.find('@');
  const auto name = text.substr(0, at);
  if (at != std::string_view::npos) {
    target.host = text.substr(at + 1);
    if (auto fine = check_name("host name", target.host); !fine) return bad_target(text, fine.error().message);
  }
  const auto parts = split_target(name);
  if (parts.agent.size() == name.size()) return bad_target(text, "the method is missing");
  target.agent = parts.agent;
  target.method = parts.method;
  if (auto fine = check_name("agent name", target.agent); !fine) return bad_target(text, fine.error().message);
  if (auto fine = check_name("method name", target.method); !fine) return bad_target(text, fine.error().message);
  return target;
}

Result<wire::Headers> parse_headers(const std::vector<std::string>& words) {
  wire::Headers headers;
  for (const auto& word : words) {
    const auto colon = word.find(':');
    if (colon == 0 || colon == std::string::npos)
      return Error(codes::bad_usage, "'" + word + "' is no header", "a header is NAME:VALUE, as album:summer");
    const auto value = word.find_first_not_of(' ', colon + 1);
    if (!headers.emplace(word.substr(0, colon), value == std::string::npos ? "" : word.substr(value)).second)
      return Error(codes::bad_usage, "header '" + word.substr(0, colon) + "' is given twice");
  }
  return headers;
}

Option header_option(std::vector<std::string>& words) {
  return texts("-H,--header", words, "NAME:VALUE", "A header that goes with it; may be given more than once");
}

Result<wire::Payload> read_payload(const std::string& text, bool raw) {
  auto content = text == "-" ? all_of_stdin() : Result<std::string>(text);
  if (!content) return content.error();
  if (raw) return wire::Payload::raw(*content);
  const auto value = from_json(*content);
  if (!value) {
    return Error(codes::bad_usage, "the payload is no JSON: " + value.error().message,
                 "quote it for the shell, as '{\"text\": \"hello\"}', or send it as it is with --raw");
  }
  return wire::Payload::of(*value);
}

Value shown(const wire::Payload& payload) {
  if (payload.encoding == wire::Encoding::raw && utf8::valid(payload.text())) return Value(payload.text());
  auto value = payload.value();
  return value ? std::move(*value) : Value(payload.bytes);
}

std::string shown_text(const wire::Payload& payload) {
  if (payload.encoding == wire::Encoding::raw) return printable(payload.text());
  return to_json(shown(payload));
}

}  // namespace weft::cli
