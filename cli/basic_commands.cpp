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

std::vector<Verb> basic_verbs() {
  auto code = std::make_shared<std::string>(), shell = std::make_shared<std::string>("bash");
  return {{.name = "version",
           .summary = "Print the version",
           .examples = {"weft version", "weft version --json"},
           .run = show_version},
          {.name = "explain",
           .summary = "Explain an error code; without one, list them all",
           .examples = {"weft explain WEFT-2003", "weft explain no_responders", "weft explain"},
           .options = {text("code", *code, "CODE", "WEFT-2003, 2003 or NO_RESPONDERS")},
           .run = [code](const Global& global) { return explain_code(global, *code); }},
          {.name = "completion",
           .summary = "Print the completion script of a shell",
           .examples = {"source <(weft completion bash)",
                        "weft completion bash > /usr/share/bash-completion/completions/weft"},
           .options = {choice("shell", *shell, "bash", "SHELL", "bash")},
           .run = [shell](const Global& global) {  // holds the word that is checked, though there is one shell only
             Global same = global;
             print(bash_completion(root_verb(same)));
             return kDone;
           }}};
}

}  // namespace weft::cli
