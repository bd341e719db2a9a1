// The parser tells where it stumbled; the person wants to know over what.
#include "weft/config/syntax.hpp"

#include <utility>

namespace weft::config {
namespace {

constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {"illegal map value", "a ':' where no value can begin; does text before it belong in quotes, or is it stray?"},
    {"illegal map key", "a '?' where no key can begin"},
    {"end of map not found", "this line does not fit the map around it; look at its indentation, and for stray text"},
    {"end of sequence not found", "this line does not fit the list around it; look at its indentation"},
    {"end of sequence flow not found", "a '[' before it has no ']'"},
    {"end of map flow not found", "a '{' before it has no '}'"},
    {"illegal tab when looking for indentation", "a tab in the indentation; YAML wants spaces"},
    {"illegal block entry", "a '- ' where no list can begin; look at the indentation"},
    {"illegal EOF in scalar", "a quote that is never closed"},
    {"the referenced anchor is not defined", "an alias '*name' without an anchor '&name' before it"},
    {"bad file", "nested too deep"},
};

/// The offset of a line that is counted from 1.
std::size_t offset_of(std::string_view text, int line) {
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n', at);
    if (end == text.npos) return text.size();
    at = end + 1;
  }
  return at;
}

std::string_view line_at(std::string_view text, std::size_t offset) {
  return text.substr(offset, text.find('\n', offset) - offset);
}

/// Over "&anchor" and "!tag", which may come before a value.
std::size_t skip_properties(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    at = text.find_first_of(" \t\r\n", at);
    at = text.find_first_not_of(" \t\r\n", at);
  }
  return at;
}

}  // namespace

SyntaxMistake explain_syntax(std::string_view text, int line, int column, std::string_view message) {
  std::size_t at = 0;
  for (int i = 1; i <= line && at < text.size(); ++i) {
    const auto here = line_at(text, at);
    if (here.starts_with("<<<<<<< ")) return {i, 1, "not YAML: a merge conflict that is not resolved"};
    at += here.size() + 1;
  }
  const auto here = line_at(text, offset_of(text, line));
  const auto indentation = here.substr(0, here.find_first_not_of(" \t"));
  if (const auto tab = indentation.find('\t'); tab != indentation.npos && indentation.size() < here.size())
    return {line, static_cast<int>(tab) + 1, "not YAML: a tab in the indentation; YAML wants spaces"};
  for (const auto& [theirs, ours] : kWords)
    if (message.starts_with(theirs)) return {line, column, "not YAML: " + std::string(ours)};
  return {line, column, "not YAML: " + std::string(message)};
}

bool is_open_quote(std::string_view text, int line, int column) {
  const std::size_t begin = skip_properties(text, offset_of(text, line) + static_cast<std::size_t>(column) - 1);
  if (begin >= text.size() || (text[begin] != '"' && text[begin] != '\'')) return false;
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (text[begin] == '"' && text[at] == '\\')
      ++at;
    else if (text[at] != text[begin])
      continue;
    else if (text[at] == '\'' && text.substr(at + 1, 1) == "'")
      ++at;
    else
      return false;
  }
  return true;
}

}  // namespace weft::config
