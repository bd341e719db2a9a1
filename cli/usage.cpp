#include "cli/usage.hpp"

#include <string_view>

#include "weft/base/base.hpp"

namespace weft::cli {

namespace {

const CLI::App& root_of(const CLI::App& app) {
  const CLI::App* root = &app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  return *root;
}

std::string nearest_to(std::string_view word, const std::vector<std::string>& known) {
  return did_you_mean(word, std::vector<std::string_view>(known.begin(), known.end()));
}

std::string unknown_word(const CLI::App& where, const std::string& word) {
  if (word.size() > 1 && word[0] == '-') {
    const auto name = word.substr(0, word.find('='));
    const auto guess = nearest_to(name, flags_of(where));
    const bool value = word.find_first_of("0123456789") == 1 || word.find(' ') != std::string::npos;
    return "unknown flag '" + word + "'" + guess + (value ? "; put '--' before a value that begins with '-'" : "");
  }
  const auto verbs = verbs_of(where);
  if (verbs.empty()) return "'" + path_of(where) + "' takes no further word, got '" + word + "'";
  return "'" + path_of(where) + "' has no verb '" + word + "'" + nearest_to(word, verbs);
}

}  // namespace

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  return flags;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
    for (const auto& alias : verb->get_aliases()) verbs.push_back(alias);
  }
  return verbs;
}

std::string usage_message(const CLI::App& where, const CLI::ParseError& problem) {
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    const auto left = root_of(where).remaining(true);
    if (!left.empty()) return unknown_word(where, left.front());
  }
  return problem.what();
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
