// The door of config: layers merged, checked against schemas, each value with its origin.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::config {

/// Where an effective value came from.
struct Origin {
  std::string layer;  ///< "default", "base", "env", "host", "agent", "environment", "command line"
  std::string file;   ///< path, variable name or flag; empty for defaults
  int line = 0;       ///< from 1; 0 where there are none
  int column = 0;
  /// "config/base.yaml:7:9", "WEFT__LOG__LEVEL", "--set log.level=debug", "built-in default".
  std::string where() const;
};

/// One thing that is wrong with the configuration.
struct Mistake {
  Origin origin;
  std::string path;  ///< "registry.lease"
  std::string text;  ///< what is wrong, what was wanted, nearest known key
  /// "config/base.yaml:7:9: log.levl: unknown key, did you mean 'level'?"
  std::string describe() const;
};

struct LoadOptions {
  std::string directory;  ///< holds base.yaml, env/, hosts/, agents/, schema/; a missing layer file is fine, a missing
                          ///< directory not
  std::string environment;  ///< "" or e.g. "demo": env/<environment>.yaml (must exist when named)
  std::string host;
  std::string agent;
  std::vector<std::pair<std::string, std::string>> variables;  ///< WEFT__A__B=value; others are ignored
  std::vector<std::string> sets;                               ///< "a.b=c", value parsed as YAML
  std::string agent_schema;  ///< JSON schema of the section `agent`, used when schema/agents/<agent>.yaml does not
                             ///< exist; may be empty: then the shipped one is used, if there is one
  std::string
      defaults;  ///< YAML of the whole tree, over the built-in defaults ("agent: {greeting: hello}"); may be empty
};

/// The merged and checked configuration. A value.
class Config {
 public:
  const Value& root() const noexcept { return root_; }
  /// The value at "a.b.c"; null when absent.
  const Value& at(std::string_view path) const noexcept;
  /// A value that the schema promises. Throws std::logic_error when it is absent or of another type: a bug.
  template <class T>
  T get(std::string_view path) const {
    auto value = from_value<T>(at(path), std::string(path));
    if (!value) fail(value.error());
    return std::move(*value);
  }
  /// Where the value at `path` came from: all layers that set it, the winner last. Empty: nobody set it.
  std::vector<std::pair<Origin, Value>> explain(std::string_view path) const;
  Origin origin(std::string_view path) const;
  /// Reads a secret reference ("file:/run/secrets/x" or "env:NAME") at `path`. Errors: `missing_secret`. Never log the
  /// result.
  Result<std::string> secret(std::string_view path) const;
  /// 16 hex digits over the effective values.
  const std::string& hash() const noexcept { return hash_; }
  /// Unknown WEFT__ variables and the like: fine to go on, worth a line.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }
  /// The tree for showing: plain-text values at keys marked secret are replaced.
  Value redacted() const;

 private:
  friend class Loader;
  [[noreturn]] static void fail(const Error& error);
  Value root_;
  std::map<std::string, std::vector<std::pair<Origin, Value>>, std::less<>> history_;  // by path of leaf
  std::vector<std::string> secret_paths_;
  std::vector<std::string> warnings_;
  std::string hash_;
};

/// All mistakes at once, in order of file and line.
class [[nodiscard]] Loaded {
 public:
  explicit Loaded(Config config) : config_(std::move(config)) {}
  explicit Loaded(std::vector<Mistake> mistakes) : mistakes_(std::move(mistakes)) {}
  bool ok() const noexcept { return mistakes_.empty(); }
  const Config& config() const& noexcept { return config_; }
  Config config() && { return std::move(config_); }
  const std::vector<Mistake>& mistakes() const& noexcept { return mistakes_; }
  std::vector<Mistake> mistakes() && { return std::move(mistakes_); }

 private:
  Config config_;
  std::vector<Mistake> mistakes_;
};
Loaded load(const LoadOptions& options);
/// The configuration directory: `told` (--config-dir), else WEFT_CONFIG_DIR, else the first of ./config,
/// ${XDG_CONFIG_HOME:-~/.config}/weft, /etc/weft and <prefix>/share/weft/config that has a base.yaml, else "": then
/// the built-in defaults, variables and --set are all there is.
std::string find_directory(const std::string& told);
/// The text of schema/agents/<program>.yaml in `directory`, else in the installed configuration, for
/// LoadOptions::agent_schema of an agent that has another name than its program. `program` is a name without "weft-".
/// Empty: there is no such file.
std::string program_schema(const std::string& directory, const std::string& program);

/// `value` as YAML for people; read again, it is the same value.
std::string to_yaml(const Value& value);

/// Where state.directory and run.directory are when no layer sets them:
/// ${XDG_STATE_HOME:-~/.local/state}/weft/<mesh>/<host>,
/// ${XDG_RUNTIME_DIR:-/tmp/weft-<uid>}/weft/<mesh>-<host>. Without a home, /tmp/weft-<uid>/state stands for the former;
/// a run directory too long for ipc sockets is "": none.
std::string default_state_directory(const std::string& mesh, const std::string& host);
std::string default_run_directory(const std::string& mesh, const std::string& host);

/// The text of a schema that is part of the program: "weft" (every layer), "fleet" (fleet files); else empty.
std::string_view built_in_schema(std::string_view name) noexcept;

/// One YAML file checked against one schema, for files that are no layer: the fleet file. `origins` has the place of
/// each path ("agents.digest.needs[0]"). The schema is the name of a built-in one ("fleet") or a path.
struct Document {
  Value root;
  std::map<std::string, Origin, std::less<>> origins;
};
struct DocumentResult {
  Document document;
  std::vector<Mistake> mistakes;
};
DocumentResult load_document(const std::string& file, const std::string& schema);
/// The same on text; `name` stands for the file in messages. For fuzzing and tests. An empty schema checks nothing.
DocumentResult parse_document(std::string_view yaml, const std::string& name, const std::string& schema);

}  // namespace weft::config
