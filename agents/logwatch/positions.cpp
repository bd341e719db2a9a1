// Reading and replacing the file of positions.
#include "agents/logwatch/positions.hpp"

#include "weft/base/files.hpp"

namespace weft::logwatch {

namespace {
constexpr std::size_t kBytesMax = 16 * 1024 * 1024;
}

Result<Positions> load_positions(const std::string& file) {
  auto text = read_regular_file(file, kBytesMax);
  if (!text) return text.error();
  if (!*text) return Positions{};
  const std::string& all = **text;
  const std::string_view document = std::string_view(all).substr(0, all.find('\n'));
  if (document.size() < all.size() && all.substr(document.size() + 1) != to_hex(fnv1a(document)) + "\n")
    return Error(codes::bad_encoding, file + ": it is not as it was written: its sum is another");
  auto value = from_json(document);
  if (!value) return Error(codes::bad_encoding, file + ": " + value.error().message);
  auto positions = from_value<Positions>(*value);
  if (!positions) return Error(codes::bad_encoding, file + ": " + positions.error().message);
  return positions;
}

Result<void> save_positions(const std::string& file, const Positions& positions) {
  const std::string document = to_json(to_value(positions));
  return replace_file(file, document + "\n" + to_hex(fnv1a(document)) + "\n");
}

}  // namespace weft::logwatch
