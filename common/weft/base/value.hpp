// Value: what configuration, JSON and MessagePack have in common. A value type.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weft/base/result.hpp"

namespace weft {

using Bytes = std::vector<std::byte>;
using BytesView = std::span<const std::byte>;
inline BytesView as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;
  enum class Type : std::uint8_t { null, boolean, integer, number, string, bytes, list, map };

  Value() = default;
  Value(const Value& other);
  Value(Value&& other) noexcept = default;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();
  Value(std::nullptr_t) {}             // NOLINT: implicit on purpose, as are all below
  Value(bool value) : data_(value) {}  // NOLINT
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Value(T value)
      : data_(static_cast<std::int64_t>(value)) {}              // NOLINT
  Value(double value) : data_(value) {}                         // NOLINT
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT
  Value(Bytes value) : data_(std::move(value)) {}               // NOLINT
  Value(List value) : data_(std::move(value)) {}                // NOLINT
  Value(Map value) : data_(std::move(value)) {}                 // NOLINT

  Type type() const noexcept { return static_cast<Type>(data_.index()); }
  bool is_null() const noexcept { return type() == Type::null; }
  bool is_map() const noexcept { return type() == Type::map; }
  bool is_list() const noexcept { return type() == Type::list; }
  bool is_string() const noexcept { return type() == Type::string; }
  bool is(std::string_view text) const noexcept { return is_string() && as_string() == text; }
  bool is_number() const noexcept { return type() == Type::integer || type() == Type::number; }

  // Each throws std::bad_variant_access when the type is another: check first, or use base/describe.hpp.
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
  /// Integers too.
  double as_double() const { return type() == Type::integer ? static_cast<double>(as_int()) : std::get<double>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Bytes& as_bytes() const { return std::get<Bytes>(data_); }
  const List& as_list() const { return std::get<List>(data_); }
  List& as_list() { return std::get<List>(data_); }
  const Map& as_map() const { return std::get<Map>(data_); }
  Map& as_map() { return std::get<Map>(data_); }

  /// The member of a map; null when this is no map or has no such key.
  const Value& operator[](std::string_view key) const noexcept;
  /// Turns null into a map, and adds the key.
  Value& set(std::string key, Value value);
  /// Follows "a.b.c" through maps; a pointer to the value, or null. Borrowed.
  const Value* find(std::string_view dotted_path) const noexcept;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, List, Map> data_;
};
std::string_view to_string(Value::Type type) noexcept;
}  // namespace weft
extern template class std::vector<weft::Value>;
namespace weft {

/// What decoders refuse, before they allocate.
struct DecodeLimits {
  std::size_t depth = 64;
  std::size_t items = 1'000'000;  ///< list and map members in total
};

// JSON (RFC 8259). Bytes are written as base64 strings. Errors: `bad_encoding` with the offset.
std::string to_json(const Value& value);
/// Indented by two, for people.
std::string to_json_pretty(const Value& value);
Result<Value> from_json(std::string_view text, const DecodeLimits& limits = {});

// MessagePack (msgpack.org). Extensions are refused. Errors: `bad_encoding` with the offset.
Bytes to_msgpack(const Value& value);
Result<Value> from_msgpack(BytesView bytes, const DecodeLimits& limits = {});

}  // namespace weft
