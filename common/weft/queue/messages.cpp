#include "weft/queue/messages.hpp"

#include <array>

namespace weft::queue {
namespace {

template <class E, std::size_t N>
Result<E> named(std::string_view name, const std::array<E, N>& all) {
  std::string wanted;
  for (const E one : all) {
    if (to_string(one) == name) return one;
    wanted += (wanted.empty() ? "" : ", ") + std::string(to_string(one));
  }
  return Error(codes::bad_value, "wanted one of " + wanted + ", got '" + std::string(name.substr(0, 64)) + "'");
}

}  // namespace

std::string_view to_string(Priority priority) noexcept {
  return priority == Priority::high ? "high" : priority == Priority::low ? "low" : "normal";
}
Result<Priority> from_text(std::string_view name, std::type_identity<Priority>) {
  return named(name, std::array{Priority::high, Priority::normal, Priority::low});
}

std::string_view to_string(Delivery delivery) noexcept {
  return delivery == Delivery::at_most_once ? "at_most_once" : "at_least_once";
}
Result<Delivery> from_text(std::string_view name, std::type_identity<Delivery>) {
  return named(name, std::array{Delivery::at_least_once, Delivery::at_most_once});
}

std::string_view to_string(Durability durability) noexcept {
  return durability == Durability::fsync ? "fsync" : durability == Durability::os ? "os" : "none";
}
Result<Durability> from_text(std::string_view name, std::type_identity<Durability>) {
  return named(name, std::array{Durability::none, Durability::os, Durability::fsync});
}

Failure Failure::of(const Error& error) {
  return {std::string(to_string(error.kind)), error.code, error.name, error.message, error.hint};
}

Error Failure::error() const {
  Error out(error_kind_from(kind), code, message);
  out.name = name;
  out.hint = hint;
  return out;
}

}  // namespace weft::queue
