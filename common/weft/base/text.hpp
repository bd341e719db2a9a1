// Names, topics and the nearest known word.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/result.hpp"

namespace weft {

/// The known word nearest to `word` (edit distance at most a third of its length, but 2 from four letters on), or
/// empty.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& known);
/// ", did you mean 'port'?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

inline constexpr std::size_t kNameMax = 64;    ///< agent, host, mesh and method names, bytes
inline constexpr std::size_t kTopicMax = 200;  ///< bytes
/// [A-Za-z0-9_-]{1,64}. Errors: `bad_name` naming `what` ("agent name").
Result<void> check_name(std::string_view what, std::string_view name);
/// Segments as names, joined by dots. Errors: `bad_topic`.
Result<void> check_topic(std::string_view topic);

/// A topic pattern: `*` matches one segment, `#` (last only) any number, also zero.
class TopicPattern {
 public:
  /// Errors: `bad_topic`.
  static Result<TopicPattern> parse(std::string_view text);
  bool matches(std::string_view topic) const noexcept;
  /// True when some topic matches both.
  bool overlaps(const TopicPattern& other) const noexcept;
  bool exact() const noexcept { return exact_; }
  /// What every matching topic begins with: the whole topic when exact, else up to the first wildcard.
  std::string_view literal_prefix() const noexcept;
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  bool exact_ = true;
};

/// Of ASCII letters; every other byte stays as it is.
std::string to_lower(std::string_view text);

/// Without the blanks and tabs at its ends.
std::string_view trimmed(std::string_view text) noexcept;

std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace weft
