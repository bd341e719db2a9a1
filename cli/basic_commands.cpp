// Verbs that need no mesh: version, explain, completion.
#include "cli/cli.hpp"
#include "cli/explain.hpp"

namespace weft::cli {

namespace {

int show_version(const Global& global) {
  if (!global.json) {
    print_line("weft " WEFT_VERSION);
    return kDone;
  }
  Value version;
  version.set("version", WEFT_VERSION);
  version.set("compiler", __VERSION__);
  print_json(version);
  return kDone;
}

Value to_document(const Code& code) {
  Value document;
  document.set("code", code.id);
  document.set("name", code.name);
  document.set("kind", to_string(code.kind));
  document.set("retryable", retryable(code.kind));
  document.set("advice", facts(code.kind).advice);
  return document;
}

int list_codes(const Global& global) {
  Value::List documents;
  Table table({"CODE", "NAME", "KIND", "WHAT TO DO"});
  for (const auto& code : error_catalogue()) {
    documents.push_back(to_document(code));
    table.add({std::string(code.id), std::string(code.name), std::string(to_string(code.kind)),
               std::string(facts(code.kind).advice)});
  }
  if (global.json) {
    print_json(Value(std::move(documents)));
  } else {
    table.print();
  }
  return kDone;
}

int explain_code(const Global& global, const std::string& text) {
  if (text.empty()) return list_codes(global);
  const auto code = find_code(text);
  if (!code) return fail(global, code.error());
  if (global.json) {
    Value document = to_document(*code);
    document.set("text", explain(*code));
    print_json(document);
  } else {
    print(explain(*code));
  }
  return kDone;
}

}  // namespace

void add_basic_commands(CLI::App& app, Global& global) {
  auto* version = add_verb(app, "version", "Print the version", {"weft version", "weft version --json"});
  on_run(*version, global, [&global] { return show_version(global); });

  auto* explain_verb = add_verb(app, "explain", "Explain an error code; without one, list them all",
                                {"weft explain WEFT-2003", "weft explain no_responders", "weft explain"});
  auto code = std::make_shared<std::string>();
  explain_verb->add_option("code", *code, "WEFT-2003, 2003 or NO_RESPONDERS")->type_name("CODE");
  on_run(*explain_verb, global, [&global, code] { return explain_code(global, *code); });

  auto* completion = add_verb(
      app, "completion", "Print the completion script of a shell",
      {"source <(weft completion bash)", "weft completion bash > /usr/share/bash-completion/completions/weft"});
  auto shell = std::make_shared<std::string>("bash");
  completion->add_option("shell", *shell, "bash")->check(CLI::IsMember({"bash"}))->type_name("SHELL");
  on_run(*completion, global, [&app, shell] {  // CLI11 writes into shell: the verb keeps it
    print(bash_completion(app));
    return kDone;
  });
}

}  // namespace weft::cli
