// WEFT_FIELDS lists the members of a struct, so that it can be read from and written to a Value:
//   struct Window { std::string host; double mean = 0; WEFT_FIELDS(Window, host, mean) };
// WEFT_REQUIRED(Window, host) beside it: a Window without `host` is an error; other absent members keep their defaults.
#pragma once
#include <cmath>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "weft/base/clock.hpp"
#include "weft/base/codes.hpp"
#include "weft/base/ulid.hpp"
#include "weft/base/value.hpp"

#define WEFT_PARENS ()
#define WEFT_EXPAND(...) WEFT_EXPAND3(WEFT_EXPAND3(WEFT_EXPAND3(WEFT_EXPAND3(__VA_ARGS__))))
#define WEFT_EXPAND3(...) WEFT_EXPAND2(WEFT_EXPAND2(WEFT_EXPAND2(WEFT_EXPAND2(__VA_ARGS__))))
#define WEFT_EXPAND2(...) WEFT_EXPAND1(WEFT_EXPAND1(WEFT_EXPAND1(WEFT_EXPAND1(__VA_ARGS__))))
#define WEFT_EXPAND1(...) __VA_ARGS__
#define WEFT_EACH(type, member, ...) \
  ::weft::Field{#member, &type::member} __VA_OPT__(, WEFT_EACH_AGAIN WEFT_PARENS(type, __VA_ARGS__))
#define WEFT_EACH_AGAIN() WEFT_EACH
#define WEFT_FIELDS(type, ...) \
  static constexpr auto weft_fields() { return std::make_tuple(WEFT_EXPAND(WEFT_EACH(type, __VA_ARGS__))); }
#define WEFT_REQUIRED(type, ...) \
  static constexpr auto weft_required() { return std::make_tuple(WEFT_EXPAND(WEFT_EACH(type, __VA_ARGS__))); }

namespace weft {

template <class Owner, class Member>
struct Field {
  const char* name;
  Member Owner::*member;
};
template <class T>
concept Described = requires {
  T::weft_fields();
};

template <class T>
concept HasRequired = requires {
  T::weft_required();
};

/// Keys that a struct does not have: newer fields on the wire are skipped, mistakes in a configuration are errors.
enum class Unknown : bool { skip, refuse };

// ---- to Value

inline Value to_value(const Ulid& id) { return id.to_string(); }
inline Value to_value(Duration duration) { return to_text(duration); }
template <class T>
Value to_value(const T& in);

namespace detail {
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsMap<std::map<std::string, T, std::less<>>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
Error wrong_type(std::string_view path, std::string_view wanted, const Value& got);
Error unknown_key(std::string_view path, std::string_view key, const std::vector<std::string_view>& known);

/// One member of a struct, with the functions for its type: what is the same for every struct is compiled once.
struct MemberToWrite {
  const char* name;
  const void* member;
  Value (*to_value)(const void* member);
};
struct MemberToRead {
  const char* name;
  void* member;
  Result<void> (*read)(const Value& in, void* member, const std::string& path, Unknown unknown);
};
Value write_members(std::span<const MemberToWrite> members);
Result<void> read_members(const Value& in, std::span<const MemberToRead> members, const std::string& path,
                          Unknown unknown, const std::vector<std::string_view>& required);

/// The first of `required` that `in` does not have, with the key of `in` that is nearly it, if there is one.
Result<void> check_required(const Value& in, std::string_view path, const std::vector<std::string_view>& required,
                            const std::vector<std::string_view>& known);
}  // namespace detail

namespace detail {
template <class M>
Value write_member(const void* member) {
  return to_value(*static_cast<const M*>(member));
}
template <class T>
Value write_struct(const T& in) {
  const auto one = [&]<class M>(const Field<T, M>& field) {
    return MemberToWrite{field.name, &(in.*(field.member)), &write_member<M>};
  };
  return std::apply(
      [&](const auto&... field) {
        const MemberToWrite members[] = {one(field)...};
        return write_members(members);
      },
      T::weft_fields());
}
}  // namespace detail

template <class T>
Value to_value(const T& in) {
  if constexpr (std::is_same_v<T, Value>) {
    return in;
  } else if constexpr (Described<T>) {
    return detail::write_struct(in);
  } else if constexpr (detail::IsVector<T>::value && !std::is_same_v<T, Bytes>) {
    Value::List list;
    list.reserve(in.size());
    for (const auto& item : in) list.push_back(to_value(item));
    return list;
  } else if constexpr (detail::IsMap<T>::value) {
    Value::Map map;
    for (const auto& [key, item] : in) map.emplace(key, to_value(item));
    return map;
  } else if constexpr (detail::IsOptional<T>::value) {
    return in ? to_value(*in) : Value();
  } else if constexpr (std::is_enum_v<T>) {
    return Value(std::string(to_string(in)));  // found by argument-dependent lookup
  } else if constexpr (std::is_floating_point_v<T>) {
    return Value(static_cast<double>(in));
  } else {
    return Value(in);
  }
}

// ---- from Value. `path` names the place for error messages. Errors: `bad_value`. Absent members keep their defaults,
// unless WEFT_REQUIRED names them.

template <class T>
Result<void> read_value(const Value& in, T& out, const std::string& path, Unknown unknown);

/// An enum E takes part by `Result<E> from_text(std::string_view, std::type_identity<E>)` beside it.
template <class T>
Result<T> from_value(const Value& in, const std::string& path = {}, Unknown unknown = Unknown::skip) {
  T out{};
  if (auto done = read_value(in, out, path, unknown); !done) return done.error();
  return out;
}

namespace detail {
std::string join(const std::string& path, std::string_view key);
template <class M>
Result<void> read_member(const Value& in, void* member, const std::string& path, Unknown unknown) {
  return read_value(in, *static_cast<M*>(member), path, unknown);
}
template <class T>
std::vector<std::string_view> required_of() {
  if constexpr (HasRequired<T>) {
    return std::apply([](const auto&... field) { return std::vector<std::string_view>{field.name...}; },
                      T::weft_required());
  } else {
    return {};
  }
}
template <class T>
Result<void> read_struct(const Value& in, T& out, const std::string& path, Unknown unknown) {
  const auto one = [&]<class M>(const Field<T, M>& field) {
    return MemberToRead{field.name, &(out.*(field.member)), &read_member<M>};
  };
  return std::apply(
      [&](const auto&... field) {
        const MemberToRead members[] = {one(field)...};
        return read_members(in, members, path, unknown, required_of<T>());
      },
      T::weft_fields());
}
/// Names the limits of the integer that was wanted.
Error not_in_range(std::string_view path, std::string_view from, std::string_view to, std::int64_t got);
}  // namespace detail

template <class T>
Result<void> read_value(const Value& in, T& out, const std::string& path, Unknown unknown) {
  if constexpr (std::is_same_v<T, Value>) {
    out = in;
  } else if constexpr (Described<T>) {
    return detail::read_struct(in, out, path, unknown);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (in.type() != Value::Type::boolean) return detail::wrong_type(path, "true or false", in);
    out = in.as_bool();
  } else if constexpr (std::is_integral_v<T>) {
    if (in.type() != Value::Type::integer) return detail::wrong_type(path, "an integer", in);
    if (!std::in_range<T>(in.as_int())) {
      return detail::not_in_range(path, std::to_string(std::numeric_limits<T>::min()),
                                  std::to_string(std::numeric_limits<T>::max()), in.as_int());
    }
    out = static_cast<T>(in.as_int());
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!in.is_number()) return detail::wrong_type(path, "a number", in);
    out = static_cast<T>(in.as_double());
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!in.is_string()) return detail::wrong_type(path, "a string", in);
    out = in.as_string();
  } else if constexpr (std::is_same_v<T, Bytes>) {
    if (in.type() != Value::Type::bytes) return detail::wrong_type(path, "bytes", in);
    out = in.as_bytes();
  } else if constexpr (std::is_same_v<T, Ulid>) {
    if (!in.is_string()) return detail::wrong_type(path, "an id", in);
    auto id = Ulid::parse(in.as_string());
    if (!id) return detail::wrong_type(path, "an id of 26 characters", in);
    out = *id;
  } else if constexpr (std::is_same_v<T, Duration>) {
    if (!in.is_string()) return detail::wrong_type(path, "a duration such as 500ms or 2s", in);
    auto duration = duration_from(in.as_string());
    if (!duration) return detail::wrong_type(path, "a duration such as 500ms or 2s", in);
    out = *duration;
  } else if constexpr (std::is_enum_v<T>) {
    if (!in.is_string()) return detail::wrong_type(path, "a name", in);
    auto parsed = from_text(in.as_string(), std::type_identity<T>{});
    if (!parsed) return Error(codes::bad_value, path + ": " + parsed.error().message);
    out = *parsed;
  } else if constexpr (detail::IsVector<T>::value) {
    if (!in.is_list()) return detail::wrong_type(path, "a list", in);
    out.clear();
    for (std::size_t i = 0; i < in.as_list().size(); ++i) {
      typename T::value_type item{};
      auto done = read_value(in.as_list()[i], item, path + "[" + std::to_string(i) + "]", unknown);
      if (!done) return done;
      out.push_back(std::move(item));
    }
  } else if constexpr (detail::IsMap<T>::value) {
    if (!in.is_map()) return detail::wrong_type(path, "a map", in);
    out.clear();
    for (const auto& [key, member] : in.as_map()) {
      auto done = read_value(member, out[key], detail::join(path, key), unknown);
      if (!done) return done;
    }
  } else if constexpr (detail::IsOptional<T>::value) {
    if (in.is_null()) {
      out.reset();
    } else {
      return read_value(in, out.emplace(), path, unknown);
    }
  } else {
    static_assert(Described<T>, "say which members it has: WEFT_FIELDS(Type, member, ...)");
  }
  return {};
}

}  // namespace weft
