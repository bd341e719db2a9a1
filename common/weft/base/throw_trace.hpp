// ThrowTrace: where an exception was thrown. When it is caught its stack is gone, so that a copy has to be kept at the
// throw.
#pragma once
#include <exception>
#include <string>

namespace weft {

/// From now on each thread keeps the stacks of the last few exceptions that it has thrown: 24 return addresses, a
/// few us a throw. For the process; builds with a sanitizer keep none. Thread-safe.
void keep_throw_traces() noexcept;

/// The stack of the throw with names, innermost first; empty when it was not kept, or in another thread. Takes
/// milliseconds for a place that is new, and then is remembered. Thread-safe.
std::string throw_trace_of(const std::exception_ptr& thrown);

}  // namespace weft
