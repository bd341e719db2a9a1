// SymbolTable: the functions of a program or library, from its ELF file, so that addresses of a process that no longer
// runs get names. Whatever the file holds, it is read within limits. A value.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/result.hpp"

namespace weft {

class SymbolTable {
 public:
  /// Of a 64-bit ELF file of this machine's byte order: its table of symbols, or where that was stripped those that it
  /// exports. Errors: `io_failed`, `bad_encoding`, `too_large`.
  static Result<SymbolTable> read(const std::string& file);

  struct Function {
    std::string_view name;  ///< as in the file (mangled); borrows from the table
    std::uint64_t offset;   ///< of the address from its begin
  };
  /// The function that `address` (before relocation) is in; an empty name: none is known.
  Function find(std::uint64_t address) const noexcept;

 private:
  struct Symbol {
    std::uint64_t begin, size;
    std::uint32_t name;  // place in names_
  };
  std::vector<Symbol> symbols_;  // by begin
  std::string names_;
};

}  // namespace weft
