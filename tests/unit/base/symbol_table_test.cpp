#include "weft/base/symbol_table.hpp"

#include <link.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/base/codes.hpp"
#include "weft/base/exception.hpp"

using namespace weft;

namespace sample {
[[gnu::noinline]] int function_with_a_name(int n) { return n + static_cast<int>(sizeof(n)); }
}  // namespace sample

namespace {

/// Where this program was moved to.
std::uint64_t base_address() {
  std::uint64_t base = 0;
  (void)::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uint64_t*>(out) = info->dlpi_addr;
        return 1;  // the first is the program
      },
      &base);
  return base;
}

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("an address within a function has its name and the offset from its begin") {
  const auto table = SymbolTable::read("/proc/self/exe");
  REQUIRE(table);
  const auto address = reinterpret_cast<std::uint64_t>(&sample::function_with_a_name) - base_address();
  const auto found = table->find(address + 2);
  CHECK(demangled(std::string(found.name)) == "sample::function_with_a_name(int)");
  CHECK(found.offset == 2);
}

TEST_CASE("an address in no function has no name") {
  const auto table = SymbolTable::read("/proc/self/exe");
  REQUIRE(table);
  CHECK(table->find(0).name.empty());
  CHECK(table->find(~std::uint64_t{0}).name.empty());
  CHECK(SymbolTable().find(1).name.empty());
}

TEST_CASE("what is no ELF file, or no file, is an error") {
  const test::TempDir dir;
  CHECK(SymbolTable::read(dir / "none").error().is(codes::io_failed));
  std::ofstream(dir / "text") << "#!/bin/sh";
  CHECK(SymbolTable::read(dir / "text").error().is(codes::bad_encoding));
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  CHECK_FALSE(SymbolTable::read(dir / "fifo"));
}

TEST_CASE("a damaged file is an error or has other names, and never more") {
  const test::TempDir dir;
  const std::string whole = content("/proc/self/exe");
  const std::string file = dir / "damaged";
  const auto read_with = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    if (const auto table = SymbolTable::read(file)) (void)table->find(0x1000);
  };
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, whole.size() / 2, whole.size() - 1}) {
    read_with(whole.substr(0, size));
  }
  for (std::size_t at = 0; at < 64; ++at) {  // each byte of the head
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    read_with(bytes);
  }
  std::uint64_t sections = 0;
  for (std::size_t i = 0; i < 8; ++i) sections |= std::uint64_t{static_cast<unsigned char>(whole[40 + i])} << (8 * i);
  REQUIRE(sections < whole.size());
  for (auto at = static_cast<std::size_t>(sections); at < whole.size(); at += 31) {  // of the table of sections
    std::string bytes = whole;
    bytes[at] = static_cast<char>(0xff);
    read_with(bytes);
  }
}
