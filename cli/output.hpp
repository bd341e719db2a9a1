// How the verbs print: tables, JSON, errors. Data on stdout.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::cli {

/// Columns padded with spaces for a terminal, and cut to fit it; separated by one tab, whole and never padded, for a
/// pipe.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// `width`: of the terminal; 0: as wide as need be. The widest columns but the first are cut, not below 12.
  std::string text(bool terminal, std::size_t width = 0) const;
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

bool stdout_is_terminal() noexcept;
/// COLUMNS when it is set, else what the terminal says; 0: not known.
std::size_t terminal_width() noexcept;
/// Colour is wanted on stderr: a terminal, and neither NO_COLOR nor --no-color.
bool color_on_stderr(bool no_color) noexcept;
/// Writes all and flushes.
void print(std::string_view text);
void print_line(std::string_view text);
/// One document, indented on a terminal, else on one line.
void print_json(const Value& value);
/// One object on one line, for streams.
void print_json_line(const Value& value);

/// {"error": {code, name, kind, message, hint, retryable}}
Value error_document(const Error& error);
/// Replaces control characters (but tab) by "\xNN", so that data cannot drive the terminal.
std::string printable(std::string_view text);
std::string joined(const std::vector<std::string>& words, std::string_view separator);
/// "3s", "12m", "5h", "2d": how long ago, for tables.
std::string age(Duration duration);

}  // namespace weft::cli
