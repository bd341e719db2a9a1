#include "weft/base/error.hpp"

#include <sysexits.h>

#include <array>

namespace weft {
namespace {

constexpr int kFailed = 1;

constexpr auto kFacts = std::to_array<ErrorKindFacts>({
    // kind, name, retryable, may_be_done, breaks_circuit, exit_code, advice
    {ErrorKind::invalid, "invalid", false, false, false, EX_CONFIG,
     "The input is wrong: correct it; a retry changes nothing."},
    {ErrorKind::not_found, "not_found", false, false, false, kFailed,
     "The named thing does not exist: check the name."},
    {ErrorKind::duplicate, "duplicate", false, false, false, kFailed, "The named thing exists already."},
    {ErrorKind::denied, "denied", false, false, false, EX_NOPERM, "This process is not allowed to do this."},
    {ErrorKind::overloaded, "overloaded", true, false, false, EX_TEMPFAIL,
     "A limit is reached: retry later, with backoff, or raise the limit."},
    {ErrorKind::unavailable, "unavailable", true, false, true, EX_UNAVAILABLE,
     "Nobody can serve this now: retry when an instance is back."},
    {ErrorKind::timeout, "timeout", false, true, true, EX_TEMPFAIL,
     "No answer came in time: the work may have been done all the same."},
    {ErrorKind::cancelled, "cancelled", false, false, false, kFailed, "The caller gave up."},
    {ErrorKind::disconnected, "disconnected", false, true, true, EX_UNAVAILABLE,
     "The peer went away: the work may have been done all the same."},
    {ErrorKind::internal, "internal", false, false, true, EX_SOFTWARE,
     "A bug or a broken environment: look at the log of the process that answered."},
});

constexpr bool in_order() noexcept {
  for (std::size_t i = 0; i < kFacts.size(); ++i) {
    if (static_cast<std::size_t>(kFacts[i].kind) != i) return false;
  }
  return kFacts.back().kind == ErrorKind::internal;
}
static_assert(in_order(), "one row for each enumerator of ErrorKind, in their order; `internal` is the last");

}  // namespace

const ErrorKindFacts& facts(ErrorKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index < kFacts.size() ? kFacts[index] : kFacts.back();
}

ErrorKind error_kind_from(std::string_view name) noexcept {
  for (const auto& row : kFacts) {
    if (row.name == name) return row.kind;
  }
  return ErrorKind::internal;
}

Error::Error(const Code& frozen, std::string text, std::string what_to_do)
    : kind(frozen.kind), code(frozen.id), name(frozen.name), message(std::move(text)), hint(std::move(what_to_do)) {}
Error::Error(ErrorKind of, std::string own_code, std::string text)
    : kind(of), code(std::move(own_code)), message(std::move(text)) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

std::string Error::describe() const {
  std::string line = code;
  if (!name.empty()) line += " " + name;
  line += line.empty() ? message : ": " + message;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
}

}  // namespace weft
