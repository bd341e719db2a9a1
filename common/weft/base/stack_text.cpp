#include "weft/base/stack_text.hpp"

#include <sys/stat.h>

#include <map>
#include <optional>

#include "weft/base/exception.hpp"
#include "weft/base/hash.hpp"
#include "weft/base/symbol_table.hpp"

namespace weft {
namespace {

constexpr std::size_t kSymbolFilesMax = 16, kFunctionNameMax = 400;

/// The tables of symbols of one stack's files.
class Symbols {
 public:
  explicit Symbols(std::int64_t started) : started_(started) {}

  /// Null: it has none, or it is not the file that the process had.
  const SymbolTable* of(const std::string& file) {
    if (const auto known = tables_.find(file); known != tables_.end()) return known->second ? &*known->second : nullptr;
    if (tables_.size() == kSymbolFilesMax) return nullptr;
    auto& table = tables_[file];
    struct stat info {};
    const bool same = ::stat(file.c_str(), &info) == 0 && info.st_ctime <= started_;
    if (same) {
      if (auto read = SymbolTable::read(file)) table = std::move(*read);
    }
    return table ? &*table : nullptr;
  }

 private:
  std::int64_t started_;
  std::map<std::string, std::optional<SymbolTable>> tables_;
};

}  // namespace

std::string stack_text(const std::vector<CodeAddress>& frames, std::int64_t started) {
  Symbols symbols(started);
  std::string out;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto& [address, file] = frames[i];
    const SymbolTable* table = symbols.of(file);
    const auto function = table ? table->find(address) : SymbolTable::Function{{}, 0};
    out += (i == 0 ? "#" : "\n#") + std::to_string(i) + " " + hex_text(address) + " in ";
    out += function.name.empty()
               ? "??"
               : demangled(std::string(function.name)).substr(0, kFunctionNameMax) + "+" + hex_text(function.offset);
    out += " from " + file.substr(file.rfind('/') + 1);
  }
  return out;
}

std::string hex_text(std::uint64_t value) {
  const std::string digits = to_hex(value);
  const auto first = digits.find_first_not_of('0');
  return "0x" + (first == std::string::npos ? "0" : digits.substr(first));
}

}  // namespace weft
