// One record of the log as one line. Pure. Private to observe.
#pragma once
#include <span>
#include <string>

#include "weft/base/trace_context.hpp"
#include "weft/observe/observe.hpp"

namespace weft::observe {

struct Record {
  WallTime time;
  Level level;
  std::string_view msg;
  std::span<const std::pair<std::string_view, Value>> fields;
  const TraceContext* trace = nullptr;  ///< to which the work belongs that says this; null: none
};

/// What every line of a process begins with, after time, level and message.
using Identity = std::vector<std::pair<std::string_view, Value>>;

/// {"ts":…,"level":…,"msg":…, identity…, trace_id, span_id, trace_flags, fields…}. A field that has the name of one of
/// these is written as "fields.<name>"; one that is named like a secret is written without its value; text is cut after
/// 8 KiB and made valid UTF-8.
std::string json_line(const Record& record, const Identity& identity);
/// "2026-11-20T08:00:00.000001Z warn  message name=value …" for people.
std::string text_line(const Record& record, bool colour);

}  // namespace weft::observe
