// Where the mesh is: the registry that was named, or the nodes that run on this machine, which leave a file each in
// ${XDG_STATE_HOME:-~/.local/state}/weft/contexts/.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "node/places.hpp"

namespace weft::cli {

using node::Context;

/// The folder of the context files, by the environment.
std::string contexts_directory();
/// All that can be read, by name; a file that cannot is told in `notices`.
std::vector<Context> read_contexts(const std::string& directory, std::vector<std::string>& notices);
/// `wanted` ("mesh@host", or a mesh or a host alone) or, when it is empty, the only mesh whose node lives; of several
/// hosts of that mesh the first. Errors: `no_registry` with what to do.
Result<Context> choose_context(const std::vector<Context>& contexts, const std::string& wanted,
                               const std::function<bool(int pid)>& lives);
bool process_lives(int pid) noexcept;

/// "10.0.0.1:7411" and "tcp://10.0.0.1:7411" -> the latter. Errors: `bad_usage`.
Result<std::string> registry_endpoint(const std::string& text);

}  // namespace weft::cli
