// What SQLite's write-ahead log says of itself. Format: sqlite.org/fileformat2.html, section 4.
#include <array>
#include <cstdint>
#include <fstream>
#include <vector>

#include "weft/store/store.hpp"

namespace weft::store {
namespace {

constexpr std::size_t kHead = 32, kFrameHead = 24, kSummed = 8;  // bytes; of a frame's head so many are in its sum

std::uint32_t number(const char* at, bool big_endian = true) {
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i) out = out << 8 | static_cast<unsigned char>(at[big_endian ? i : 3 - i]);
  return out;
}

struct Sum {
  std::uint32_t first = 0, second = 0;
  bool big_endian = false;
  void add(const char* bytes, std::size_t size) {
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
      first += number(bytes + i, big_endian) + second;
      second += number(bytes + i + 4, big_endian) + first;
    }
  }
  bool is(const char* at) const { return first == number(at) && second == number(at + 4); }
};

}  // namespace

bool log_damaged(const std::string& log_file) {
  std::ifstream log(log_file, std::ios::binary);
  std::array<char, kHead> head{};
  if (!log.read(head.data(), head.size())) return false;  // it ends before it begins
  Sum sum{0, 0, (number(head.data()) & 1) != 0};
  sum.add(head.data(), kHead - kSummed);
  const std::size_t page = number(head.data() + 8);
  if (!sum.is(head.data() + kHead - kSummed) || page < 512 || page > 65536) return true;
  std::vector<char> frame(kFrameHead + page);
  bool readable = true;
  while (log.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
    const bool of_this_log =
        number(frame.data() + 8) == number(head.data() + 16) && number(frame.data() + 12) == number(head.data() + 20);
    sum.add(frame.data(), kSummed);
    sum.add(frame.data() + kFrameHead, page);
    readable = readable && of_this_log && sum.is(frame.data() + 16);
    const bool ends_transaction = number(frame.data() + 4) != 0;
    if (!readable && of_this_log && ends_transaction) return true;
  }
  return false;
}

}  // namespace weft::store
