#include "weft/base/exception.hpp"

#include <stdexcept>

#include "tests/support/catch.hpp"

using namespace weft;

namespace app {
struct OutOfStock : std::runtime_error {
  using std::runtime_error::runtime_error;
};
}  // namespace app

namespace {
template <class T>
ThrownFacts thrown(T value) {
  return what_of(std::make_exception_ptr(std::move(value)));
}
}  // namespace

TEST_CASE("an exception says its own type, not that of its base, and its text") {
  const auto facts = thrown(app::OutOfStock("no apples"));
  CHECK(facts.type == "app::OutOfStock");
  CHECK(facts.text == "no apples");
  CHECK(thrown(std::out_of_range("")).type == "std::out_of_range");
}

TEST_CASE("a long text is cut") { CHECK(thrown(std::runtime_error(std::string(9000, 'x'))).text.size() == 8192); }

TEST_CASE("what is not a std::exception has a type all the same") {
  const auto facts = thrown(7);
  CHECK(facts.type == "int");
  CHECK(facts.text == "an exception of an unknown type");
}

TEST_CASE("symbols are demangled, other names stay as they are") {
  CHECK(demangled("_ZN4weft4Mesh5startEv") == "weft::Mesh::start()");
  CHECK(demangled("main") == "main");
  CHECK(demangled("_Z") == "_Z");
  CHECK(demangled("") == "");
}
