// Where the configuration lies when nobody says it.
#include <cstdlib>
#include <filesystem>

#include "weft/config/directory.hpp"

namespace weft::config {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables at run time
  return value ? value : "";
}

bool has_base(const fs::path& directory) {
  std::error_code error;
  return fs::exists(directory / "base.yaml", error);
}

}  // namespace

std::string find_directory(const std::string& told) {
  if (!told.empty()) return told;
  if (auto directory = variable("WEFT_CONFIG_DIR"); !directory.empty()) return directory;
  if (has_base("config")) return "config";
  const std::string home = variable("HOME"), xdg = variable("XDG_CONFIG_HOME");
  const fs::path own = !xdg.empty() ? fs::path(xdg) / "weft" : fs::path(home) / ".config" / "weft";
  if ((!xdg.empty() || !home.empty()) && has_base(own)) return own.string();
  if (has_base("/etc/weft")) return "/etc/weft";
  const std::string shipped = shipped_directory();
  return has_base(shipped) ? shipped : "";
}

std::string shipped_directory() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);  // <prefix>/bin/weft
  if (error) return "";
  return (program.parent_path().parent_path() / "share" / "weft" / "config").string();
}

}  // namespace weft::config
