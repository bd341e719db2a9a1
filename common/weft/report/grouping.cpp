#include "weft/report/grouping.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "weft/base/hash.hpp"

namespace weft::report {
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

/// An absolute or relative file path, and what follows the scheme of a URL: "/tmp/a.txt", "./x", "//host:80/y".
std::size_t path(std::string_view text) {
  const auto start = std::min(text.find_first_not_of("./~"), text.size());
  if (text.substr(0, start).find('/') == std::string_view::npos || start == text.size()) return 0;
  if (!is_word(text[start])) return 0;
  auto length = std::min(text.find_first_of(" \t\n\"'`,;()[]<>{}|", start), text.size());
  while (length > start && (text[length - 1] == ':' || text[length - 1] == '.')) --length;  // of the sentence
  return length;
}

struct Rule {
  std::size_t (*match)(std::string_view);
  std::string_view instead;
  bool word_start;  // only where a word begins
};
constexpr Rule kRules[] = {{path, "<path>", true}, {quoted, "<str>", true}, {uuid, "<uuid>", true},
                           {ulid, "<id>", true},   {hex, "<hex>", true},    {number, "<n>", false}};
using Rules = std::span<const Rule>;
constexpr Rules kVersion2{kRules};
constexpr Rules kVersion1 = kVersion2.subspan(1);  // knew no paths

std::size_t apply_rules(Rules rules, std::string_view rest, bool word_start, std::string& out) {
  for (const Rule& rule : rules) {
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

std::string versioned(const char* version, std::string_view key) {
  return version + to_hex(murmur_mix(fnv1a(key)));  // mixed, so that similar texts differ in every digit
}

std::string normalise(Rules rules, std::string_view message) {
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
    const auto length = apply_rules(rules, message, word_start, out);
    word_start = !is_word(message[length - 1]);
    message.remove_prefix(length);
  }
  return out;
}

// ---- stacks, version 2

struct Frame {
  std::string name;
  bool own = false;  ///< of the program or one of its libraries, not of the system or the C++ library
};

/// The file that gdb and Weft name behind " from ".
std::string_view module_of(std::string_view line) {
  const auto from = line.rfind(" from ");
  if (from == std::string_view::npos) return {};
  const auto file = line.substr(from + 6);
  return file.substr(file.rfind('/') + 1);
}

bool of_the_system(std::string_view module) {
  for (const std::string_view name : {"libc.so", "libc-", "libm.so", "libpthread", "ld-linux", "libgcc_s", "libstdc++",
                                      "libc++", "linux-vdso", "libboost_", "libasan", "libtsan", "libubsan"}) {
    if (module.starts_with(name)) return true;
  }
  return false;
}

/// How the process came to its end, not why.
bool is_way_out(std::string_view name) {
  for (const std::string_view word :
       {"abort", "raise", "__GI_", "__pthread_kill", "pthread_kill", "__assert_fail", "__restore_rt", "_Unwind_",
        "start_thread", "clone", "gsignal", "operatornew", "operatordelete", "__stack_chk_fail", "__fortify_fail",
        "weft::program::::on_terminate"}) {
    if (name == word || (word.ends_with('_') && name.starts_with(word))) return true;
  }
  return false;
}

/// Of Weft, which calls the functions of an agent in more than one way.
bool of_the_runtime(std::string_view name) {
  for (const std::string_view prefix :
       {"weft::actor::", "weft::calls::", "weft::events::", "weft::io::", "weft::mesh::", "weft::net::", "weft::peer::",
        "weft::program::", "weft::queue::", "weft::replica::", "weft::Handlers", "weft::UniqueFunction",
        "weft::run_agent"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

Frame frame_of(std::string_view line) {
  const std::string_view module = module_of(line);
  line = line.substr(0, line.rfind(" from ", line.size()));
  line = line.substr(0, std::min(line.find(" [clone"), line.size()));
  Frame frame{frame_name(line), false};
  if (frame.name == "??") frame.name.clear();
  if (const auto offset = frame.name.rfind('+'); offset != std::string::npos) frame.name.resize(offset);
  if (const auto suffix = frame.name.find_first_of(".@"); suffix != std::string::npos && suffix > 0)
    frame.name.resize(suffix);  // ".constprop.0", ".cold", "@@GLIBC_2.34"
  frame.own = !frame.name.empty() && !in_library(frame.name) && !of_the_system(module);
  if (frame.name.empty() && !module.empty()) {  // no symbol: the same build has it at the same offset
    const auto at = line.find("0x");
    const auto digits = at == std::string_view::npos ? std::string_view() : line.substr(at);
    frame.name = std::string(module) + " " + std::string(digits.substr(0, digits.find(' ')));
    frame.own = !of_the_system(module);
  }
  return frame;
}

}  // namespace

std::string normalise_message(std::string_view message) { return normalise(kVersion2, message); }

std::string normalise_stack(std::string_view stack) {
  constexpr std::size_t kFrames = 5;
  std::vector<std::string> own, others;
  for (const auto line : split(stack, '\n')) {
    Frame frame = frame_of(line);
    auto& frames = frame.own ? own : others;
    const bool known = std::find(frames.begin(), frames.end(), frame.name) != frames.end();  // recursion counts once
    if (!frame.name.empty() && !known && !is_way_out(frame.name)) frames.push_back(std::move(frame.name));
  }
  auto& frames = own.empty() ? others : own;
  const auto caller = std::find_if(frames.begin(), frames.end(), of_the_runtime);
  if (caller != frames.begin()) frames.erase(caller, frames.end());
  if (frames.size() > kFrames) frames.resize(kFrames);
  std::string out;
  for (const auto& name : frames) out.append(name).push_back('\n');
  return out;
}

std::string fingerprint_of(const ErrorEvent& event) {
  if (!event.fingerprint.empty()) return versioned("v1:", "own\n" + event.fingerprint);
  const std::string head = event.code + '\n' + event.agent + '\n';
  const std::string cause = event.exception + '\n';
  if (auto frames = normalise_stack(event.stack); !frames.empty())
    return versioned("v2:", "stack\n" + head + cause + frames);
  if (event.exception.empty()) return versioned("v1:", "message\n" + head + normalise(kVersion1, event.message));
  const auto what = event.values.find("what");
  const bool text = what != event.values.end() && what->second.is_string();
  return versioned("v2:", "exception\n" + head + cause + normalise_message(event.message) + '\n' +
                              (text ? normalise_message(what->second.as_string()) : ""));
}

}  // namespace weft::report
