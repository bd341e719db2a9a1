// The bash completion, generated from the command tree so that it cannot lag behind it.
#include <algorithm>

#include "cli/cli.hpp"
#include "cli/usage.hpp"

namespace weft::cli {

namespace {

/// Flags whose next word is their value.
void collect_valued(const Verb& verb, std::vector<std::string>& out) {
  for (const auto& option : verb.options) {
    if (option.is_flag()) continue;
    for (auto& name : long_names(option)) out.push_back(std::move(name));
    for (auto& name : short_names(option)) out.push_back(std::move(name));
  }
  for (const auto& below : verb.verbs) collect_valued(below, out);
}

Path below(const Path& path, const Verb& verb) {
  Path longer = path;
  longer.push_back(&verb);
  return longer;
}

/// One case arm for each place in the tree: what may follow there.
void add_arms(const Path& path, std::string& arms) {
  const Verb& verb = *path.back();
  arms += "    \"" + path_of(path) + "\") words=\"" + joined(verbs_of(verb), " ") + "\"; flags=\"" +
          joined(flags_of(path), " ") + "\" ;;\n";
  for (const auto& next : verb.verbs) add_arms(below(path, next), arms);
}

std::string alternatives(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return joined(words, "|");
}

/// Which word leads from one place of the tree to a place below it.
void add_steps(const Path& path, std::string& steps) {
  for (const auto& next : path.back()->verbs) {
    const Path longer = below(path, next);
    for (const auto name : {next.name, next.alias}) {
      if (name.empty()) continue;
      steps += "      \"" + path_of(path) + " " + std::string(name) + "\") at=\"" + path_of(longer) + "\" ;;\n";
    }
    add_steps(longer, steps);
  }
}

}  // namespace

std::string bash_completion(const Verb& root) {
  std::vector<std::string> valued;
  collect_valued(root, valued);
  std::string steps, arms;
  add_steps({&root}, steps);
  add_arms({&root}, arms);
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
