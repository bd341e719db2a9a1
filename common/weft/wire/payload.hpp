// Payload: what a message carries, and the headers that a caller may give with it. Values.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/wire/wire.hpp"

namespace weft::wire {

/// Bytes and how they are encoded. A value.
struct Payload {
  wire::Encoding encoding = wire::Encoding::raw;
  Bytes bytes;

  Payload() = default;
  Payload(wire::Encoding how, Bytes what) : encoding(how), bytes(std::move(what)) {}
  /// MessagePack of any type that base/describe.hpp knows.
  template <class T>
  static Payload of(const T& value) {
    return {wire::Encoding::msgpack, to_msgpack(to_value(value))};
  }
  static Payload raw(std::string_view text) {
    const auto bytes = weft::as_bytes(text);
    return {wire::Encoding::raw, Bytes(bytes.begin(), bytes.end())};
  }
  static Payload json(std::string_view text) {
    const auto bytes = weft::as_bytes(text);
    return {wire::Encoding::json, Bytes(bytes.begin(), bytes.end())};
  }
  /// MessagePack and JSON are decoded, raw becomes bytes. Errors: `bad_payload`.
  Result<Value> value() const;
  template <class T>
  Result<T> as() const {
    auto decoded = value();
    if (!decoded) return decoded.error();
    auto read = from_value<T>(*decoded);
    if (!read) return Error(codes::bad_payload, "payload: " + read.error().message);
    return read;
  }
  std::string_view text() const noexcept { return as_text(bytes); }
};

/// Text to text, as the user of a call gives them; carried unseen by Weft. At most 60 KiB in all.
using Headers = std::map<std::string, std::string>;

}  // namespace weft::wire
