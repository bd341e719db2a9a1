// Result<T>: a value or an Error. It cannot be dropped silently.
#pragma once
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "weft/base/error.hpp"

namespace weft {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  // Not defaulted: `return {};` would fill the place of the error with zeros first.
  Result() requires(std::is_void_v<T> || std::is_default_constructible_v<T>) : Base() {}
  Result(Base base) : Base(std::move(base)) {}                   // NOLINT: implicit on purpose
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT: `return Error{...};`
};

}  // namespace weft
