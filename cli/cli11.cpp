// The only file of cli that knows CLI11, which takes seconds to compile: a tree of verbs becomes a CLI::App.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <sstream>

#include "cli/command_line.hpp"
#include "cli/usage.hpp"

namespace weft::cli {
namespace {

constexpr const char* kExamples = "\n\nExamples:";

std::string group_footer(const Verb& group, const std::string& path) {
  std::string examples;
  for (const auto& verb : group.verbs) {
    if (!verb.examples.empty()) examples += "\n  " + std::string(verb.examples.front());
  }
  return examples.empty() ? "" : "'" + path + " VERB --help' shows more." + kExamples + examples;
}

std::string footer_of(const Verb& verb, const std::string& path) {
  if (!verb.footer.empty()) return std::string(verb.footer);
  if (!verb.verbs.empty()) return group_footer(verb, path);
  std::string text = "The options of every verb (--json, --registry, --timeout, …) are in 'weft --help'.";
  text += kExamples;
  for (const auto example : verb.examples) text += "\n  " + std::string(example);
  return text;
}

/// Adds one option by the type of what it points to.
struct Adder {
  CLI::App& app;
  const Option& option;
  const std::string names{option.names};
  const std::string text{option.text};

  std::string with_default(const std::string& value) const {
    return option.shows_default ? text + " (" + value + ")" : text;
  }

  CLI::Option* operator()(bool* out) const { return app.add_flag(names, *out, text); }

  CLI::Option* operator()(std::string* out) const {
    auto* added = app.add_option(names, *out, with_default(*out));
    if (!option.one_of.empty()) added->check(CLI::IsMember(words_of(option.one_of)));
    return added;
  }

  CLI::Option* operator()(std::vector<std::string>* out) const {
    auto* added = app.add_option(names, *out, text);
    if (!option.is_positional() && !option.takes_words) added->allow_extra_args(false);
    return added;
  }

  CLI::Option* operator()(std::uint64_t* out) const {
    CLI::Range within(static_cast<std::uint64_t>(option.bounds.least), static_cast<std::uint64_t>(option.bounds.most));
    within.description("");
    return app.add_option(names, *out, with_default(std::to_string(*out)))->check(within);
  }

  CLI::Option* operator()(double* out) const {
    CLI::Range within(option.bounds.least, option.bounds.most);
    within.description("");
    return app.add_option(names, *out, text)->check(within);
  }

  CLI::Option* operator()(Duration* out) const {
    const auto read = [out, names = names](const CLI::results_t& words) {
      auto duration = duration_from(words.at(0));
      if (!duration) throw CLI::ValidationError(names, duration.error().message);
      *out = *duration;
      return true;
    };
    return app.add_option(names, read, with_default(to_text(*out)));
  }
};

/// What was added for one option, to say afterwards whether it was given.
using Notes = std::vector<std::pair<const CLI::Option*, bool*>>;

void add_option(CLI::App& app, const Option& option, Notes& notes) {
  auto* added = std::visit(Adder{app, option}, option.target);
  if (!option.type.empty()) added->type_name(std::string(option.type));
  if (!option.environment.empty()) added->envname(std::string(option.environment));
  if (option.is_required) added->required();
  if (option.was_given != nullptr) notes.emplace_back(added, option.was_given);
}

void add_verb(CLI::App& app, const Verb& verb, const std::string& path, Notes& notes) {
  app.require_subcommand(0, 1);  // a group without a verb prints its help
  app.footer(footer_of(verb, path));
  for (const auto& option : verb.options) add_option(app, option, notes);
  for (const auto& below : verb.verbs) {
    auto* added = app.add_subcommand(std::string(below.name), std::string(below.summary));
    if (!below.alias.empty()) added->alias(std::string(below.alias));
    add_verb(*added, below, path + " " + std::string(below.name), notes);
  }
}

struct Innermost {
  const CLI::App* app;
  const CLI::App* above = nullptr;
  std::vector<const Verb*> path;
};

Innermost innermost(const CLI::App& root, const Verb& verb) {
  Innermost found{&root, nullptr, {&verb}};
  for (auto chosen = root.get_subcommands(); !chosen.empty(); chosen = found.app->get_subcommands()) {
    found.above = std::exchange(found.app, chosen.front());
    for (const auto& below : found.path.back()->verbs) {
      if (below.name == found.app->get_name()) {
        found.path.push_back(&below);
        break;
      }
    }
  }
  return found;
}

std::string message_of(const CLI::App& root, const std::vector<const Verb*>& path, const CLI::ParseError& problem) {
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    const auto left = root.remaining(true);
    if (!left.empty()) return unknown_word(path, left.front());
  }
  return problem.what();
}

}  // namespace

CommandLine parse(const Verb& root, const std::string& version, int argc, const char* const* argv) {
  CLI::App app{std::string(root.summary), std::string(root.name)};
  app.fallthrough();  // options of the root may stand after a verb too; inherited by what is added below
  Notes notes;
  add_verb(app, root, std::string(root.name), notes);
  app.set_version_flag("--version", version);
  CommandLine line;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    std::ostringstream out;
    (void)app.exit(asked, out, out);
    line.asks_for_text = true;
    line.help = out.str();
  } catch (const CLI::ParseError& problem) {
    line.path = innermost(app, root).path;
    line.mistake =
        Error(codes::bad_usage, message_of(app, line.path, problem), "try '" + path_of(line.path) + " --help'");
    return line;
  }
  for (const auto& [option, given] : notes) *given = option->count() > 0;
  auto [chosen, above, path] = innermost(app, root);
  line.path = std::move(path);
  if (!line.asks_for_text && !line.verb().run)
    line.help = chosen->help(above == nullptr ? "" : path_of({line.path.begin(), line.path.end() - 1}));
  return line;
}

}  // namespace weft::cli
