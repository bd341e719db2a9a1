#include "weft/base/symbol_table.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "weft/base/codes.hpp"
#include "weft/base/files.hpp"

namespace weft {
namespace {

constexpr std::uint64_t kSymbolTableMax = 64 * 1024 * 1024;  ///< bytes of symbols, and of their names
constexpr std::size_t kSectionsMax = 4096;

class ElfFile {
 public:
  explicit ElfFile(int fd) noexcept : fd_(fd) {}
  ~ElfFile() { ::close(fd_); }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  std::optional<std::string> bytes(std::uint64_t offset, std::uint64_t size) const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return std::nullopt;
    const auto end = static_cast<std::uint64_t>(info.st_size);
    if (size > kSymbolTableMax || offset > end || size > end - offset) return std::nullopt;
    std::string out(size, '\0');
    for (std::uint64_t at = 0; at < size;) {
      const auto got = ::pread(fd_, out.data() + at, size - at, static_cast<off_t>(offset + at));
      if (got <= 0) return std::nullopt;
      at += static_cast<std::uint64_t>(got);
    }
    return out;
  }
  template <class T>
  std::optional<std::vector<T>> records(std::uint64_t offset, std::uint64_t count) const {
    if (count > kSymbolTableMax / sizeof(T)) return std::nullopt;
    const auto raw = bytes(offset, count * sizeof(T));
    if (!raw) return std::nullopt;
    std::vector<T> out(count);
    if (count > 0) std::memcpy(out.data(), raw->data(), raw->size());
    return out;
  }

 private:
  int fd_;
};

bool readable_elf(const Elf64_Ehdr& head) {
  constexpr unsigned char kHere = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
  return std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64 &&
         head.e_ident[EI_DATA] == kHere && head.e_shentsize == sizeof(Elf64_Shdr) && head.e_shnum <= kSectionsMax;
}

const Elf64_Shdr* table_in(const std::vector<Elf64_Shdr>& sections) {
  for (const auto type : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (const auto& section : sections) {
      if (section.sh_type == static_cast<Elf64_Word>(type) && section.sh_link < sections.size()) return &section;
    }
  }
  return nullptr;
}

}  // namespace

Result<SymbolTable> SymbolTable::read(const std::string& file) {
  const auto opened = open_regular_file(file, O_RDONLY | O_CLOEXEC);
  if (!opened) return opened.error();
  const ElfFile elf(*opened);
  const auto bad = [&](const char* what) { return Error(codes::bad_encoding, file + ": " + what); };
  const auto head = elf.records<Elf64_Ehdr>(0, 1);
  if (!head || !readable_elf(head->front())) return bad("not an ELF file of this machine");
  const auto sections = elf.records<Elf64_Shdr>(head->front().e_shoff, head->front().e_shnum);
  const Elf64_Shdr* table = sections ? table_in(*sections) : nullptr;
  if (table == nullptr) return bad("it has no table of symbols");
  const Elf64_Shdr& names = (*sections)[table->sh_link];
  if (table->sh_size > kSymbolTableMax || names.sh_size > kSymbolTableMax)
    return Error(codes::too_large, file + ": its table of symbols is too large");
  const auto symbols = elf.records<Elf64_Sym>(table->sh_offset, table->sh_size / sizeof(Elf64_Sym));
  auto text = elf.bytes(names.sh_offset, names.sh_size);
  if (!symbols || !text) return bad("its table of symbols is cut off");

  SymbolTable out;
  out.names_ = std::move(*text);
  for (const auto& symbol : *symbols) {
    const bool function = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC || ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
    if (function && symbol.st_shndx != SHN_UNDEF && symbol.st_name < out.names_.size())
      out.symbols_.push_back({symbol.st_value, symbol.st_size, symbol.st_name});
  }
  std::stable_sort(out.symbols_.begin(), out.symbols_.end(),
                   [](const Symbol& a, const Symbol& b) { return a.begin < b.begin; });
  return out;
}

SymbolTable::Function SymbolTable::find(std::uint64_t address) const noexcept {
  auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                [](std::uint64_t wanted, const Symbol& symbol) { return wanted < symbol.begin; });
  if (after == symbols_.begin()) return {{}, 0};
  const Symbol& symbol = *std::prev(after);
  const auto offset = address - symbol.begin;
  if (offset >= std::max<std::uint64_t>(symbol.size, 1)) return {{}, 0};
  const std::string_view rest = std::string_view(names_).substr(symbol.name);
  return {rest.substr(0, std::min<std::size_t>(rest.find('\0'), 4096)), offset};
}

}  // namespace weft
