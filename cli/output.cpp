#include "cli/output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "weft/base/utf8.hpp"

namespace weft::cli {

namespace {

constexpr std::size_t kBetween = 2;  // columns
constexpr std::size_t kLeast = 12;   // what is cut further tells nothing any more

std::string cut(const std::string& text, std::size_t width) {
  if (utf8::columns(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t left = width; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && left-- == 1) break;
  }
  return text.substr(0, end) + "…";
}

/// The first names what the row is about, and is what other verbs take.
void fit(std::vector<std::size_t>& widths, std::size_t width) {
  std::size_t sum = kBetween * (widths.size() - 1);
  for (const auto each : widths) sum += each;
  for (; sum > width && widths.size() > 1; --sum) {
    const auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (*widest <= kLeast) return;
    --*widest;
  }
}

std::string padded_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = cut(cells[i], widths[i]);
    line += cell;
    if (i + 1 < cells.size()) line.append(widths[i] - utf8::columns(cell) + kBetween, ' ');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + '\n';
}

}  // namespace

std::string Table::text(bool terminal, std::size_t width) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], utf8::columns(row[i]));
  }
  if (width > 0) fit(widths, width);
  std::string out;
  for (const auto& row : rows_) {
    if (terminal) {
      out += padded_row(row, widths);
    } else {
      for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "\t") + row[i];
      out += '\n';
    }
  }
  return out;
}

void Table::print() const { cli::print(text(stdout_is_terminal(), terminal_width())); }

bool stdout_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) == 1; }

std::size_t terminal_width() noexcept {
  if (const char* variable = std::getenv("COLUMNS"); variable != nullptr) {
    const std::string_view text(variable);
    std::size_t columns = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), columns).ec == std::errc()) return columns;
  }
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool color_on_stderr(bool no_color) noexcept {
  const char* variable = std::getenv("NO_COLOR");
  return !no_color && (variable == nullptr || *variable == '\0') && ::isatty(STDERR_FILENO) == 1;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_json(const Value& value) {
  std::string text = stdout_is_terminal() ? to_json_pretty(value) : to_json(value);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  print_line(text);
}

void print_json_line(const Value& value) { print_line(to_json(value)); }

Value error_document(const Error& error) {
  Value inner;
  inner.set("code", error.code);
  inner.set("name", error.name);
  inner.set("kind", std::string(to_string(error.kind)));
  inner.set("message", error.message);
  inner.set("hint", error.hint);
  inner.set("retryable", retryable(error.kind));
  Value document;
  document.set("error", std::move(inner));
  return document;
}

std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : separator).append(word);
  return out;
}

std::string age(Duration duration) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7200) return std::to_string(seconds / 60) + "m";
  if (seconds < 172'800) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

}  // namespace weft::cli
