// The offline catalogue of errors: the frozen codes, and the pages of docs/errors as they were at the build.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::cli {

/// Every frozen code, in order of number.
const std::vector<Code>& error_catalogue();
/// By id ("WEFT-2003", "2003") or name ("NO_RESPONDERS"), any case. Errors: `bad_usage` with the nearest.
Result<Code> find_code(std::string_view text);
/// The page of a code, or what the table knows of it.
std::string explain(const Code& code);
/// Markdown by id; generated from docs/errors/.
const std::map<std::string, std::string, std::less<>>& error_pages();

}  // namespace weft::cli
