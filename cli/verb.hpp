// Verbs as data: what a verb is called, what it takes and what it does, in plain types. command_line.hpp parses a
// command line against such a tree, completion.cpp writes the completion from it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weft/base/clock.hpp"

namespace weft::cli {

struct Global;

/// Inclusive. Whole numbers are exact up to 2^53.
struct Bounds {
  double least = 0, most = 1e12;
};

/// One thing that may be on the command line. Made by the functions below; the texts are literals.
struct Option {
  /// Where the value goes: borrowed, usually from the arguments that Verb::run holds. What it points to before parsing
  /// is the default.
  using Target = std::variant<bool*, std::string*, std::vector<std::string>*, std::uint64_t*, double*, Duration*>;

  std::string_view names;  ///< "--host", "-n,--lines"; a word without a dash is positional
  std::string_view type;   ///< of the value, for the help: "HOST"; empty for a flag
  std::string_view text;
  Target target;
  Bounds bounds{};                 ///< of a number
  std::string_view one_of{};       ///< the only values of a text, as "new,old"; empty: any
  std::string_view environment{};  ///< the variable that is used when the option is not given; may be empty
  bool is_required = false;
  bool shows_default = false;  ///< the help ends with the default in parentheses
  bool takes_words = false;    ///< of texts: every word up to the next option, not one word for each mention
  bool* was_given = nullptr;   ///< set when the option is on the command line or in the environment; borrowed

  bool is_positional() const noexcept { return !names.starts_with('-'); }
  bool is_flag() const noexcept { return std::holds_alternative<bool*>(target); }

  Option required() &&;
  Option from_environment(std::string_view variable) &&;
  Option with_default_shown() &&;
  Option several_words() &&;
  Option noting(bool& given) &&;
};

Option flag(std::string_view names, bool& out, std::string_view text);
Option text(std::string_view names, std::string& out, std::string_view type, std::string_view text);
/// Positional: all words. Named: one word for each mention, unless several_words().
Option texts(std::string_view names, std::vector<std::string>& out, std::string_view type, std::string_view text);
/// A text that is one of `values`, which are joined by commas.
Option choice(std::string_view names, std::string& out, std::string_view values, std::string_view type,
              std::string_view text);
/// A whole number within `bounds`; the help shows the default.
Option number(std::string_view names, std::uint64_t& out, Bounds bounds, std::string_view text);
/// A whole number whose default (0) means that it was left out.
Option number(std::string_view names, std::uint64_t& out, std::string_view text);
Option real(std::string_view names, double& out, Bounds bounds, std::string_view text);
/// "500ms", "2s"; a value without unit is a usage error. The help shows the default unless it is zero.
Option duration(std::string_view names, Duration& out, std::string_view text);

/// A verb, or a group of verbs when `verbs` is not empty.
struct Verb {
  std::string_view name;
  std::string_view summary;
  std::vector<std::string_view> examples{};  ///< whole command lines; the help of the verb ends with them
  std::vector<Option> options{};
  std::function<int(const Global&)> run{};  ///< returns the exit code, and owns what the options point to
  std::vector<Verb> verbs{};
  std::string_view alias{};   ///< another name; may be empty
  std::string_view footer{};  ///< ends the help instead of the examples; may be empty
};

/// "new,old" -> {"new", "old"}
std::vector<std::string> words_of(std::string_view list);
/// The long names of `option`, with dashes ("--lines"), or the short ones ("-n").
std::vector<std::string> long_names(const Option& option);
std::vector<std::string> short_names(const Option& option);

}  // namespace weft::cli
