#include "cli/context.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "weft/base/files.hpp"
#include "weft/config/config.hpp"

namespace weft::cli {

namespace {

constexpr std::size_t kContextBytesMax = 64 * 1024;

Result<Context> read_context(const std::filesystem::path& path) {
  const auto text = read_regular_file(path, kContextBytesMax);
  if (!text) return text.error();
  if (!*text) return Error(codes::bad_config_file, path.string() + ": it does not exist");
  const auto parsed = config::parse_document(**text, path.string(), "");
  if (!parsed.mistakes.empty()) return Error(codes::bad_config_file, parsed.mistakes.front().describe());
  auto context = from_value<Context>(parsed.document.root, path.string());
  if (context && context->registry.empty()) {
    return Error(codes::bad_config_file, path.string() + ": it names no registry");
  }
  return context;
}

std::string names_of(const std::vector<Context>& contexts) {
  std::string out;
  for (const auto& context : contexts) out += (out.empty() ? "" : ", ") + context.name();
  return out;
}

bool is_named(const Context& context, const std::string& wanted) {
  return wanted == context.name() || wanted == context.mesh || wanted == context.host;
}

Error no_such_context(const std::vector<Context>& contexts, const std::string& wanted) {
  return Error(codes::no_registry, "there is no context '" + wanted + "' on this machine",
               contexts.empty() ? "no node runs here: start one with 'weft up', or name a registry with --registry"
                                : "there are: " + names_of(contexts));
}

}  // namespace

std::string contexts_directory() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::string(state) + "/weft/contexts";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.local/state/weft/contexts";
}

std::vector<Context> read_contexts(const std::string& directory, std::vector<std::string>& notices) {
  std::vector<Context> contexts;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().extension() != ".yaml") continue;
    auto context = read_context(at->path());
    if (context) {
      contexts.push_back(std::move(*context));
    } else {
      notices.push_back(context.error().message);
    }
  }
  std::sort(contexts.begin(), contexts.end(), [](const Context& a, const Context& b) { return a.name() < b.name(); });
  return contexts;
}

Result<Context> choose_context(const std::vector<Context>& contexts, const std::string& wanted,
                               const std::function<bool(int)>& lives) {
  std::vector<Context> found;
  std::set<std::string> meshes;
  for (const auto& context : contexts) {
    if (wanted.empty() ? !lives(context.pid) : !is_named(context, wanted)) continue;
    found.push_back(context);
    meshes.insert(context.mesh);
  }
  if (!found.empty() && meshes.size() == 1) return found.front();
  if (!found.empty()) {
    return Error(codes::no_registry, "nodes of several meshes run on this machine: " + names_of(found),
                 "choose one with --context or WEFT_CONTEXT");
  }
  if (!wanted.empty()) return no_such_context(contexts, wanted);
  return Error(codes::no_registry, "no mesh is known: no node runs on this machine",
               "start one with 'weft up', or name a registry: --registry tcp://HOST:7411 or WEFT_REGISTRY");
}

bool process_lives(int pid) noexcept { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

Result<std::string> registry_endpoint(const std::string& text) {
  std::string endpoint = text.find("://") == std::string::npos ? "tcp://" + text : text;
  if (endpoint.starts_with("ipc://") && endpoint.size() > 6) return endpoint;
  const auto colon = endpoint.rfind(':');
  const auto port = endpoint.substr(colon + 1);
  const bool fine = endpoint.starts_with("tcp://") && colon > 6 && !port.empty() && port.size() <= 5 &&
                    port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) <= 65'535 &&
                    std::stoi(port) > 0;
  if (fine) return endpoint;
  return Error(codes::bad_usage, "'" + text + "' is no call endpoint of a registry",
               "it looks like tcp://10.0.0.1:7411 (not the HTTP address)");
}

}  // namespace weft::cli
