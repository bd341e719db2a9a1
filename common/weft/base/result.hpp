// Result<T>: a value or an Error. It cannot be dropped silently.
#pragma once
#include <memory>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "weft/base/error.hpp"

namespace weft {
namespace detail {

/// An Error at the end of a pointer: results are held and moved everywhere, errors are rare and large. A value; empty
/// after it was moved from.
class HeldError {
 public:
  explicit HeldError(Error error);
  HeldError(HeldError&&) noexcept = default;
  HeldError& operator=(HeldError&& other) noexcept;
  HeldError(const HeldError& other);
  HeldError& operator=(const HeldError& other) { return *this = HeldError(other); }
  ~HeldError();
  Error& operator*() const noexcept { return *held_; }

 private:
  std::unique_ptr<Error> held_;
};

}  // namespace detail

template <class T>
class [[nodiscard]] Result : public tl::expected<T, detail::HeldError> {
  using Base = tl::expected<T, detail::HeldError>;

 public:
  using Base::Base;
  // Not defaulted: `return {};` would fill the place of the error with zeros first.
  Result() requires(std::is_void_v<T> || std::is_default_constructible_v<T>) : Base() {}
  Result(Base base) : Base(std::move(base)) {}  // NOLINT: implicit on purpose
  Result(Error error)                           // NOLINT: `return Error{...};`
      : Base(tl::unexpect, detail::HeldError(std::move(error))) {}

  /// Only of a result that has no value.
  Error& error() & noexcept { return *Base::error(); }
  const Error& error() const& noexcept { return *Base::error(); }
  Error&& error() && noexcept { return std::move(*Base::error()); }
};

}  // namespace weft
