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

std::string explain(const Code& code) {
  const auto page = error_pages().find(code.id);
  if (page != error_pages().end()) return page->second;
  return std::string(code.id) + " " + std::string(code.name) + "\n\nKind: " + std::string(to_string(code.kind)) + ". " +
         std::string(facts(code.kind).advice) + "\n";
}

}  // namespace weft::cli
