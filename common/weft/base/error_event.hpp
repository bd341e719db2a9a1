// ErrorEvent: one error as it travels from an agent to the error bus, and the sink that takes it.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "weft/base/describe.hpp"

namespace weft {

enum class Severity : std::uint8_t { info, warning, error, critical };
std::string_view to_string(Severity severity) noexcept;
/// Errors: `bad_value`.
Result<Severity> from_text(std::string_view name, std::type_identity<Severity>);

struct ErrorEvent {
  Ulid id;                   ///< made by the reporter; the bus keeps one event per id
  std::int64_t time_us = 0;  ///< wall time, UTC
  std::string host, agent, version;
  Ulid instance;
  std::uint64_t epoch = 0;
  Severity severity = Severity::error;
  std::string category;                 ///< "resource", "network", "log", … chosen by the reporter
  std::string code;                     ///< stable: "WEFT-2003", "CPU_HIGH"
  std::string message;                  ///< constant text with {placeholders}
  std::map<std::string, Value> values;  ///< for the placeholders, and attributes
  std::string exception;                ///< type of the exception that caused it, or name of the signal; may be empty
  std::string stack;                    ///< may be empty
  std::string trace_id;                 ///< 32 hex digits, or empty
  std::string config_hash;
  std::string fingerprint;     ///< explicit grouping key, or empty: the bus groups by its own rules
  std::uint64_t repeated = 0;  ///< further events of the same issue, of which only the number was kept
  WEFT_FIELDS(ErrorEvent, id, time_us, host, agent, version, instance, epoch, severity, category, code, message, values,
              exception, stack, trace_id, config_hash, fingerprint, repeated)

  /// The message with its values put in.
  std::string text() const;
};

/// An interface: what a room that must report borrows. Never blocks, never throws; what it cannot keep it counts.
class ErrorSink {
 public:
  virtual ~ErrorSink() = default;
  /// Fills in id, time, host, agent, instance, epoch and config hash where they are empty.
  virtual void report(ErrorEvent event) noexcept = 0;
};

}  // namespace weft
