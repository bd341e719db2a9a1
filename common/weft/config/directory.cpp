// Where the configuration, the state and the sockets lie when nobody says it.
#include <unistd.h>

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

std::string of_user() { return "/tmp/weft-" + std::to_string(::getuid()); }

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

std::string default_state_directory(const std::string& mesh, const std::string& host) {
  const std::string home = variable("HOME"), xdg = variable("XDG_STATE_HOME");
  const std::string base = !xdg.empty() ? xdg : !home.empty() ? home + "/.local/state" : of_user() + "/state";
  return base + "/weft/" + mesh + "/" + host;
}

std::string default_run_directory(const std::string& mesh, const std::string& host) {
  constexpr std::size_t kLengthMax = 80;  // the path of a socket may have 107 bytes, its name within the directory 26
  const std::string xdg = variable("XDG_RUNTIME_DIR");
  const std::string path = (xdg.empty() ? of_user() : xdg) + "/weft/" + mesh + "-" + host;
  return path.size() <= kLengthMax ? path : "";
}

}  // namespace weft::config
