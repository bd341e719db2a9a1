// Target: the method of an agent that calls and queue items go to, written "agent.method".
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "weft/base/result.hpp"

namespace weft {

/// The two halves of a text such as "agent.method"; borrowed from it. Both may be anything that the text has.
struct TargetParts {
  std::string_view agent;
  std::string_view method;  ///< empty when the text has no dot
  bool complete() const noexcept { return !agent.empty() && !method.empty(); }
};

/// Splits at the first dot. Checks nothing: for texts that were checked already, or that may be an agent alone.
constexpr TargetParts split_target(std::string_view text) noexcept {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return {text, {}};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

/// A checked target. A value.
class Target {
 public:
  /// Errors: `bad_name` unless agent and method are names (check_name()).
  static Result<Target> parse(std::string_view text);

  std::string_view agent() const noexcept { return split_target(text_).agent; }
  std::string_view method() const noexcept { return split_target(text_).method; }
  const std::string& text() const noexcept { return text_; }
  friend bool operator==(const Target&, const Target&) = default;

 private:
  explicit Target(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace weft
