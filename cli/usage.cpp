#include "cli/usage.hpp"

#include "weft/base/text.hpp"

namespace weft::cli {

namespace {

std::string nearest_to(std::string_view word, const std::vector<std::string>& known) {
  return did_you_mean(word, std::vector<std::string_view>(known.begin(), known.end()));
}

}  // namespace

std::string path_of(const Path& path) {
  std::string text;
  for (const auto* verb : path) text += (text.empty() ? "" : " ") + std::string(verb->name);
  return text;
}

std::string unknown_word(const Path& path, const std::string& word) {
  if (word.size() > 1 && word[0] == '-') {
    const auto name = word.substr(0, word.find('='));
    const auto guess = nearest_to(name, flags_of(path));
    const bool value = word.find_first_of("0123456789") == 1 || word.find(' ') != std::string::npos;
    return "unknown flag '" + word + "'" + guess + (value ? "; put '--' before a value that begins with '-'" : "");
  }
  const auto verbs = verbs_of(*path.back());
  if (verbs.empty()) return "'" + path_of(path) + "' takes no further word, got '" + word + "'";
  return "'" + path_of(path) + "' has no verb '" + word + "'" + nearest_to(word, verbs);
}

std::vector<std::string> flags_of(const Path& path) {
  std::vector<std::string> flags;
  for (auto at = path.rbegin(); at != path.rend(); ++at) {
    flags.emplace_back("--help");
    for (const auto& option : (*at)->options) {
      for (auto& name : long_names(option)) flags.push_back(std::move(name));
    }
  }
  flags.emplace_back("--version");
  return flags;
}

std::vector<std::string> verbs_of(const Verb& verb) {
  std::vector<std::string> verbs;
  for (const auto& below : verb.verbs) {
    verbs.emplace_back(below.name);
    if (!below.alias.empty()) verbs.emplace_back(below.alias);
  }
  return verbs;
}

bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "--json" || word == "-j") return true;
  }
  return false;
}

}  // namespace weft::cli
