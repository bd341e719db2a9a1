#include "weft/base/result.hpp"

namespace weft::detail {

HeldError::HeldError(Error error) : held_(std::make_unique<Error>(std::move(error))) {}
HeldError::HeldError(const HeldError& other) : held_(other.held_ ? std::make_unique<Error>(*other.held_) : nullptr) {}
HeldError& HeldError::operator=(HeldError&&) noexcept = default;
HeldError::~HeldError() = default;

}  // namespace weft::detail
