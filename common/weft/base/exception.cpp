#include "weft/base/exception.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>

#include "weft/base/throw_trace.hpp"

namespace weft {
namespace {

constexpr std::size_t kTypeMax = 512, kTextMax = 8 * 1024;

/// In a catch clause.
std::string current_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? std::string("foreign exception")
                         : demangled(type->name()).substr(0, kTypeMax);  // not thrown by C++
}

}  // namespace

ThrownFacts what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    return {current_type(), std::string(failure.what()).substr(0, kTextMax), {}};
  } catch (...) {
    return {current_type(), "an exception of an unknown type", {}};
  }
}

ThrownFacts what_of_with_stack(const std::exception_ptr& thrown) {
  ThrownFacts facts = what_of(thrown);
  facts.stack = throw_trace_of(thrown);
  return facts;
}

std::string demangled(const std::string& symbol) {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &failed),
                                                    std::free);
  return failed == 0 && name ? std::string(name.get()) : symbol;
}

}  // namespace weft
