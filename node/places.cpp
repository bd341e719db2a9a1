#include "node/places.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "weft/base/files.hpp"
#include "weft/config/config.hpp"

namespace weft::node {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kContextBytesMax = 64 * 1024;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string state_home() {
  if (auto home = variable("XDG_STATE_HOME"); !home.empty()) return home;
  return variable("HOME") + "/.local/state";
}

std::string run_home() {
  if (auto home = variable("XDG_RUNTIME_DIR"); !home.empty()) return home;
  return "/tmp/weft-" + std::to_string(::getuid());
}

std::string contexts_folder() { return state_home() + "/weft/contexts"; }

Error failed(const std::string& what, int number) {
  return {number == ENOSPC ? codes::disk_full : codes::io_failed, what + ": " + std::strerror(number)};
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::optional<Context> read_context(const fs::path& file) {
  const auto text = read_regular_file(file, kContextBytesMax);
  if (!text || !*text) return std::nullopt;
  auto context = from_value<Context>(config::parse_document(**text, file.string(), "").document.root);
  return context ? std::optional(*context) : std::nullopt;
}

}  // namespace

Places places_of(const std::string& mesh, const std::string& host, const std::string& state, const std::string& run) {
  Places places;
  places.state = fs::absolute(state.empty() ? state_home() + "/weft/" + mesh + "/" + host : state).lexically_normal();
  places.run = fs::absolute(run.empty() ? run_home() + "/weft/" + mesh + "-" + host : run).lexically_normal();
  places.context_file = contexts_folder() + "/" + mesh + "@" + host + ".yaml";
  return places;
}

Result<void> create(const Places& places) {
  std::error_code failure;
  for (const auto& folder : {places.state + "/log", places.state + "/spool", places.run}) {
    fs::create_directories(folder, failure);
    if (failure) return failed("cannot create " + folder, failure.value());
  }
  fs::permissions(places.run, fs::perms::owner_all, failure);
  if (failure) return failed("cannot keep others out of " + places.run, failure.value());
  return {};
}

Result<void> write_context(const std::string& file, const Context& context) {
  std::error_code failure;
  fs::create_directories(fs::path(file).parent_path(), failure);
  if (failure) return failed("cannot create the folder of " + file, failure.value());
  std::string text;
  const Value document = to_value(context);
  for (const auto& [key, value] : document.as_map()) text += key + ": " + to_json(value) + "\n";
  return replace_file(file, text);
}

void remove_context(const Places& places) noexcept {
  std::error_code ignored;
  fs::remove(places.context_file, ignored);
}

std::vector<Context> live_contexts() {
  std::vector<Context> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(contexts_folder(), failure)) {
    if (entry.path().extension() != ".yaml") continue;
    auto context = read_context(entry.path());
    Places places;
    if (!context) continue;
    places.run = context->run;
    if (NodeLock::holder(places.lock_file()) == context->pid) found.push_back(std::move(*context));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return found;
}

Result<NodeLock> NodeLock::take(const std::string& file) {
  auto fd = open_regular_file(file, O_RDWR | O_CREAT);
  if (!fd) return fd.error();
  NodeLock held(*fd);
  auto lock = whole_file();
  if (::fcntl(*fd, F_SETLK, &lock) == 0) return held;
  const auto pid = holder(file);
  return Error(codes::already_running, "a node runs here already" + (pid ? ", process " + std::to_string(*pid) : ""),
               "weft ps shows what it runs, weft down stops it");
}

std::optional<pid_t> NodeLock::holder(const std::string& file) {
  const auto fd = open_regular_file(file, O_RDWR);
  if (!fd) return std::nullopt;
  auto lock = whole_file();
  const bool asked = ::fcntl(*fd, F_GETLK, &lock) == 0;
  ::close(*fd);
  return asked && lock.l_type != F_UNLCK ? std::optional(lock.l_pid) : std::nullopt;
}

NodeLock::~NodeLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace weft::node
