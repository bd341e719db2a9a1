// program_schema(): the schema of a program by its file.
#include "weft/base/files.hpp"
#include "weft/config/directory.hpp"

namespace weft::config {
namespace {
constexpr std::size_t kSchemaBytesMax = 1024 * 1024;
}

std::string program_schema(const std::string& directory, const std::string& program) {
  if (program.empty() || program.find('/') != std::string::npos) return "";
  for (const auto& folder : {directory, shipped_directory()}) {
    if (folder.empty()) continue;
    const auto text = read_regular_file(folder + "/schema/agents/" + program + ".yaml", kSchemaBytesMax);
    if (text && *text) return **text;
  }
  return "";
}

}  // namespace weft::config
