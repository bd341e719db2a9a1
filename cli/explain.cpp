#include "cli/explain.hpp"

#include <algorithm>
#include <cctype>

namespace weft::cli {

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

}  // namespace

const std::vector<Code>& error_catalogue() {
#define WEFT_LIST_CODE(name, number, text, kind) codes::name,
  static const std::vector<Code> all{WEFT_CODES(WEFT_LIST_CODE)};
#undef WEFT_LIST_CODE
  return all;
}

Result<Code> find_code(std::string_view text) {
  std::string wanted = upper(text);
  if (!wanted.empty() && wanted.find_first_not_of("0123456789") == std::string::npos) wanted.insert(0, "WEFT-");
  std::vector<std::string_view> names;
  std::vector<std::string_view> ids;
  for (const auto& code : error_catalogue()) {
    if (wanted == code.id || wanted == code.name) return code;
    names.push_back(code.name);
    ids.push_back(code.id);
  }
  const bool by_id = wanted.starts_with("WEFT-");
  return Error(codes::bad_usage,
               "'" + std::string(text) + "' is no error code of Weft" + did_you_mean(wanted, by_id ? ids : names),
               "'weft explain' lists them all; other codes are an agent's own");
}

std::string_view advice(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid:
      return "The input is wrong: mend it; a retry changes nothing.";
    case ErrorKind::not_found:
      return "The named thing does not exist: check the name.";
    case ErrorKind::duplicate:
      return "The named thing exists already.";
    case ErrorKind::denied:
      return "This is not allowed to this process.";
    case ErrorKind::overloaded:
      return "A limit is reached: retry later, with backoff, or raise the limit.";
    case ErrorKind::unavailable:
      return "Nobody can serve this now: retry when someone is back.";
    case ErrorKind::timeout:
      return "No answer came in time: the work may have been done all the same.";
    case ErrorKind::cancelled:
      return "The caller gave up.";
    case ErrorKind::disconnected:
      return "The peer went away: the work may have been done all the same.";
    case ErrorKind::internal:
      return "A bug or a broken environment: look at the log of the process that answered.";
  }
  return "";
}

std::string explain(const Code& code) {
  const auto page = error_pages().find(code.id);
  if (page != error_pages().end()) return page->second;
  return std::string(code.id) + " " + std::string(code.name) + "\n\nKind: " + std::string(to_string(code.kind)) + ". " +
         std::string(advice(code.kind)) + "\n";
}

}  // namespace weft::cli
