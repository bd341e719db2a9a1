// Schema: a JSON schema (draft 7) as a tree to walk: what it says about a place, in words. Private to config.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "weft/config/node.hpp"

namespace weft::config {

/// Borrows nothing; the pointers it gives are into it.
class Schema {
 public:
  /// All subschemas that speak about one place: $ref followed, allOf, anyOf, oneOf and if-then-else opened.
  using At = std::vector<const Value*>;

  Schema() = default;
  explicit Schema(Value root) : root_(std::move(root)) {}
  /// YAML or JSON text.
  static Result<Schema> parse(std::string_view text);

  const Value& root() const noexcept { return root_; }
  bool empty() const noexcept { return root_.is_null(); }
  At top() const;
  At child(const At& at, std::string_view key) const;
  At item(const At& at, std::size_t index) const;
  At at(const Path& path) const;
  /// The tree of all `default:` values.
  Value defaults() const;

 private:
  void expand(const Value& schema, At& into, int depth) const;
  Value defaults_of(const Value& schema, int depth) const;
  Value root_;
};

/// "#/definitions/x" in `root`; null when it is none.
const Value* resolve_reference(const Value& root, std::string_view reference);
/// Errors: `bad_config`: a $ref that leads out of the schema, nowhere or in a circle.
Result<void> check_references(const Value& schema);

std::vector<std::string_view> known_keys(const Schema::At& at);
bool has_keyword(const Schema::At& at, std::string_view keyword);
bool is_secret(const Schema::At& at);
/// True where a value can only be text.
bool is_text_only(const Schema::At& at);
/// "an integer from 1 to 65535", "one of debug, info", "a duration such as 500ms or 2s"; `x-wanted` says it in the
/// schema's own words.
std::string wanted(const Schema::At& at);
/// "text 'abc'", "99999", "a list of 3 items"; hidden where it may be a secret.
std::string got(const Value& value, bool hide);
/// ", did you mean 'info'?" where only some words are allowed; else "".
std::string nearest_allowed(const Schema::At& at, const Value& value);
/// A duration outside of `x-minimum` and `x-maximum`.
bool duration_out_of_range(const Schema::At& at, const Value& value);
/// `value` with what is plain text at secret places replaced.
Value hide_secrets(const Schema& schema, const Schema::At& at, const Value& value);
/// "file:/path" or "env:NAME".
bool is_secret_reference(const Value& value);

/// Plain text where a reference belongs. Nothing and empty text are no secret.
bool is_plain_secret(const Schema::At& at, const Value& value);

inline constexpr std::string_view kPlainSecret =
    "wanted a reference file:/path or env:NAME, got plain text, which is not shown";
inline constexpr std::string_view kHidden = "(hidden)";
inline constexpr std::string_view kDurationPattern = R"(^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d)$)";

}  // namespace weft::config
