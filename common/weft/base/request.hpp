// Requests as people send them: an empty one means the defaults, and an unknown key is an error.
#pragma once
#include "weft/base/describe.hpp"

namespace weft {

/// Errors: `bad_payload` naming the key.
template <class T>
Result<T> request_of(const Value& value) {
  const bool nothing = value.is_null() || (value.type() == Value::Type::bytes && value.as_bytes().empty());
  if (nothing) return T{};
  auto read = from_value<T>(value, "request", Unknown::refuse);
  if (!read) return Error(codes::bad_payload, read.error().message);
  return read;
}

}  // namespace weft
