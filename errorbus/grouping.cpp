#include "errorbus/grouping.hpp"

#include <array>

#include "weft/base/hash.hpp"

namespace weft::errorbus {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::size_t run(std::string_view text, bool (*belongs)(char)) {
  std::size_t length = 0;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

/// 8-4-4-4-12 hex digits.
std::size_t uuid(std::string_view text) {
  constexpr std::array<std::size_t, 5> kGroups{8, 4, 4, 4, 12};
  std::size_t at = 0;
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    if (group > 0 && (at >= text.size() || text[at++] != '-')) return 0;
    if (run(text.substr(at, kGroups[group]), is_hex) != kGroups[group]) return 0;
    at += kGroups[group];
  }
  return at < text.size() && is_word(text[at]) ? 0 : at;
}

std::size_t hex(std::string_view text) {
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    const auto digits = run(text.substr(2), is_hex);
    return digits == 0 ? 0 : 2 + digits;
  }
  const auto length = run(text, is_hex);
  const bool whole = length == run(text, is_word);
  return whole && length >= 8 && text.substr(0, length).find_first_of("0123456789") != std::string_view::npos ? length
                                                                                                              : 0;
}

std::size_t ulid(std::string_view text) {
  const auto length = run(text, is_word);
  return length == 26 && Ulid::parse(text.substr(0, 26)) ? 26 : 0;
}

/// Digits, also joined by dots, colons and commas that further digits follow: 17, 1.5, 10.0.0.1:80, 12:30:01.
std::size_t number(std::string_view text) {
  std::size_t at = run(text, is_digit);
  while (at > 0 && at + 1 < text.size() && (text[at] == '.' || text[at] == ':' || text[at] == ',') &&
         is_digit(text[at + 1])) {
    at += 1 + run(text.substr(at + 1), is_digit);
  }
  return at;
}

/// From an opening quote through the next of its kind.
std::size_t quoted(std::string_view text) {
  if (text.front() != '\'' && text.front() != '"' && text.front() != '`') return 0;
  const auto close = text.find(text.front(), 1);
  return close == std::string_view::npos ? 0 : close + 1;
}

struct Rule {
  std::size_t (*match)(std::string_view);
  std::string_view instead;
  bool word_start;  // only where a word begins
};
constexpr Rule kRules[] = {{quoted, "<str>", true},
                           {uuid, "<uuid>", true},
                           {ulid, "<id>", true},
                           {hex, "<hex>", true},
                           {number, "<n>", false}};

std::size_t apply_rules(std::string_view rest, bool word_start, std::string& out) {
  for (const Rule& rule : kRules) {
    if (rule.word_start && !word_start) continue;
    if (const auto length = rule.match(rest); length > 0) {
      out += rule.instead;
      return length;
    }
  }
  out += rest.front();
  return 1;
}

/// Removes what stands between `open` and its `close`, nested ones included.
std::string without(std::string_view text, char open, char close) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == open) ++depth;
    if (depth == 0) out += c;
    if (c == close && depth > 0) --depth;
  }
  return out;
}

/// "#3 0x0000 in weft::Peer<int>::send(int) (+0x1f) at peer.cpp:17" -> "weft::Peer::send".
std::string frame_name(std::string_view line) {
  if (const auto in = line.find(" in "); in != std::string_view::npos) line.remove_prefix(in + 4);
  if (const auto at = line.find(" at "); at != std::string_view::npos) line = line.substr(0, at);
  const std::string bare = without(without(line, '<', '>'), '(', ')');
  std::string name;
  for (const auto word : split(bare, ' ')) {
    const bool noise = word.empty() || word.front() == '#' || word.substr(0, 2) == "0x" || word.front() == '+' ||
                       word.front() == '[' || word.find('/') != std::string_view::npos;
    if (!noise) name.append(word);
  }
  return without(normalise_message(name), '{', '}');
}

bool in_library(std::string_view name) {
  for (const std::string_view prefix : {"std::", "__gnu_cxx::", "__cxa_", "__libc_", "_start", "boost::"}) {
    if (name.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

std::string versioned(std::string_view key) {
  return "v1:" + to_hex(murmur_mix(fnv1a(key)));  // mixed, so that similar texts differ in every digit
}

}  // namespace

std::string normalise_message(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  bool word_start = true;
  while (!message.empty()) {
    if (message.front() == '{') {  // a placeholder stays as it is
      const auto close = std::min(message.find('}'), message.size() - 1);
      out.append(message.substr(0, close + 1));
      message.remove_prefix(close + 1);
      word_start = true;
      continue;
    }
    const auto length = apply_rules(message, word_start, out);
    word_start = !is_word(message[length - 1]);
    message.remove_prefix(length);
  }
  return out;
}

std::string normalise_stack(std::string_view stack) {
  std::string out;
  int frames = 0;
  for (const auto line : split(stack, '\n')) {
    const auto name = frame_name(line);
    if (name.empty() || in_library(name)) continue;
    out.append(name).push_back('\n');
    if (++frames == 5) break;
  }
  return out;
}

std::string fingerprint_of(const ErrorEvent& event) {
  if (!event.fingerprint.empty()) return versioned("own\n" + event.fingerprint);
  const std::string head = event.code + '\n' + event.agent + '\n';
  if (auto frames = normalise_stack(event.stack); !frames.empty()) return versioned("stack\n" + head + frames);
  return versioned("message\n" + head + normalise_message(event.message));
}

}  // namespace weft::errorbus
