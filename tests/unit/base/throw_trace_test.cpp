#include "weft/base/throw_trace.hpp"

#include <stdexcept>
#include <thread>

#include "tests/support/catch.hpp"
#include "weft/base/exception.hpp"

using namespace weft;

namespace shop {
[[gnu::noinline]] void empty_shelf(int number) { throw std::out_of_range("shelf " + std::to_string(number)); }
[[gnu::noinline]] int first_of(const std::string& text) { return text.at(7); }
}  // namespace shop

namespace {
template <class F>
std::exception_ptr caught(F work) {
  try {
    work();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}
bool sanitized() {
  keep_throw_traces();
  return throw_trace_of(caught([] { shop::empty_shelf(1); })).empty();
}
}  // namespace

TEST_CASE("an exception that was caught has the stack of its throw, its own function first") {
  if (sanitized()) return;
  const auto thrown = caught([] { shop::empty_shelf(3); });
  const std::string stack = throw_trace_of(thrown);
  const auto first = stack.substr(0, stack.find('\n'));
  CHECK(first.find("in shop::empty_shelf(int)+0x") != std::string::npos);
  CHECK(stack.find("in main+0x") != std::string::npos);
  CHECK(throw_trace_of(thrown) == stack);
  CHECK(what_of_with_stack(thrown).stack == stack);
}

TEST_CASE("an exception of the C++ library has the stack of its caller") {
  if (sanitized()) return;
  const std::string stack = throw_trace_of(caught([] { (void)shop::first_of("abc"); }));
  CHECK(stack.find("in shop::first_of(") != std::string::npos);
}

TEST_CASE("one that was thrown again, or while another was handled, has its own stack") {
  if (sanitized()) return;
  const auto outer = caught([] {
    try {
      shop::empty_shelf(1);
    } catch (...) {
      (void)caught([] { (void)shop::first_of("abc"); });
      std::rethrow_exception(std::current_exception());
    }
  });
  CHECK(throw_trace_of(outer).find("shop::empty_shelf") != std::string::npos);
}

TEST_CASE("one of another thread, or that was never thrown, has none") {
  keep_throw_traces();
  std::exception_ptr thrown;
  std::thread([&] { thrown = caught([] { shop::empty_shelf(2); }); }).join();
  CHECK(throw_trace_of(thrown).empty());
  CHECK(throw_trace_of(std::make_exception_ptr(7)).empty());
  CHECK(throw_trace_of(nullptr).empty());
}
