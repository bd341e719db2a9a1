// Error: what went wrong, worded for the person who must act. Values; thread-safe to copy.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

/// What the receiver of an error should do about it.
enum class ErrorKind : std::uint8_t {
  invalid,       ///< the input is wrong: mend it, do not retry
  not_found,     ///< the named thing does not exist
  duplicate,     ///< the named thing exists already
  denied,        ///< not allowed
  overloaded,    ///< a limit is reached: retry later, with backoff
  unavailable,   ///< no instance can serve this now: retry when one is back
  timeout,       ///< no answer in time: the work may have been done
  cancelled,     ///< the caller gave up
  disconnected,  ///< the peer went away: the work may have been done
  internal,      ///< a bug or a broken environment
};
/// Everything that depends on the kind of an error, in one table (error.cpp): a new kind is an enumerator above and a
/// row there.
struct ErrorKindFacts {
  ErrorKind kind;
  std::string_view name;    ///< on the wire and in documents
  bool retryable;           ///< the same call may succeed later or elsewhere, and was certainly not carried out
  bool may_be_done;         ///< the work may have been carried out although the caller got no answer
  bool breaks_circuit;      ///< a failure of the callee, not of the caller: it counts towards opening a circuit
  int exit_code;            ///< of a daemon that ends because of it, from sysexits.h
  std::string_view advice;  ///< one sentence for the person who must act
};
/// An unknown value is `internal`. Thread-safe.
const ErrorKindFacts& facts(ErrorKind kind) noexcept;
/// `internal` for an unknown name.
ErrorKind error_kind_from(std::string_view name) noexcept;
inline std::string_view to_string(ErrorKind kind) noexcept { return facts(kind).name; }
inline bool retryable(ErrorKind kind) noexcept { return facts(kind).retryable; }

/// A frozen error code; docs/errors/ has a page for each (see base/codes.hpp).
struct Code {
  std::string_view id;    ///< "WEFT-2003"
  std::string_view name;  ///< "NO_RESPONDERS"
  ErrorKind kind;
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::internal;
  std::string code;     ///< "WEFT-2003", or a stable code of the agent's own
  std::string name;     ///< "NO_RESPONDERS", or empty
  std::string message;  ///< who, where, what was wanted; for a person
  std::string hint;     ///< what to do; may be empty

  Error() = default;
  Error(const Code& frozen, std::string text, std::string what_to_do = {});
  Error(ErrorKind of, std::string own_code, std::string text);
  // Defined in error.cpp: errors are rare, and every function that can fail would hold the code for five members.
  Error(const Error& other);
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&& other) noexcept;
  ~Error();

  /// "WEFT-2003 NO_RESPONDERS: text (hint)": one line for terminals and logs.
  std::string describe() const;
  bool is(const Code& frozen) const noexcept { return code == frozen.id; }
  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace weft
