// What is wrong with text that is no YAML, as a person would say it. Private to config.
#pragma once
#include <string>
#include <string_view>

namespace weft::config {

struct SyntaxMistake {
  int line = 1;
  int column = 1;
  std::string text;
};
/// `message` is the parser's, at a line and column from 1. Looks at the text itself for the cause, which may lie
/// before.
SyntaxMistake explain_syntax(std::string_view text, int line, int column, std::string_view message);
/// True where a quoted scalar, with its tag and anchor, begins at line and column but does not end: yaml-cpp 0.7 takes
/// the rest of the file for it without a word.
bool is_open_quote(std::string_view text, int line, int column);

}  // namespace weft::config
