// The bash completion, generated from the command tree so that it cannot lag behind it.
#include <CLI/CLI.hpp>

#include "cli/cli.hpp"
#include "cli/usage.hpp"

namespace weft::cli {

namespace {

/// Flags whose next word is their value.
void collect_valued(const CLI::App& app, std::vector<std::string>& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_expected_min() == 0) continue;
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
    for (const auto& name : option->get_snames()) out.push_back("-" + name);
  }
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) collect_valued(*verb, out);
}

/// One case arm for each place in the tree: what may follow there.
void add_arms(const CLI::App& app, std::string& arms) {
  arms += "    \"" + path_of(app) + "\") words=\"" + joined(verbs_of(app), " ") + "\"; flags=\"" +
          joined(flags_of(app), " ") + "\" ;;\n";
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) add_arms(*verb, arms);
}

std::string alternatives(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return joined(words, "|");
}

/// Which word leads from one place of the tree to a place below it.
void add_steps(const CLI::App& app, std::string& steps) {
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> names{verb->get_name()};
    for (const auto& alias : verb->get_aliases()) names.push_back(alias);
    for (const auto& name : names) {
      steps += "      \"" + path_of(app) + " " + name + "\") at=\"" + path_of(*verb) + "\" ;;\n";
    }
    add_steps(*verb, steps);
  }
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::vector<std::string> valued;
  collect_valued(app, valued);
  std::string steps, arms;
  add_steps(app, steps);
  add_arms(app, arms);
  return "# bash completion of weft: source <(weft completion bash)\n"
         "_weft() {\n"
         "  local at=\"weft\" current=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\" flags=\"\" i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"${COMP_WORDS[i]}\" in " +
         alternatives(valued) +
         ") ((i++)); continue ;; -*) continue ;; esac\n"
         "    case \"$at ${COMP_WORDS[i]}\" in\n" +
         steps +
         "    esac\n"
         "  done\n"
         "  ((i > COMP_CWORD)) && return\n"
         "  case \"$at\" in\n" +
         arms +
         "  esac\n"
         "  if [[ \"$current\" == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -o default -F _weft weft\n";
}

}  // namespace weft::cli
