#include "weft/base/target.hpp"

#include "weft/base/codes.hpp"
#include "weft/base/text.hpp"

namespace weft {

Result<Target> Target::parse(std::string_view text) {
  const auto parts = split_target(text);
  if (parts.complete() && check_name("agent name", parts.agent) && check_name("method name", parts.method))
    return Target(text);
  return Error(codes::bad_name, "'" + std::string(text.substr(0, 2 * kNameMax)) + "' is no target such as agent.method",
               "agent and method are each 1 to 64 of A-Z a-z 0-9 _ -");
}

}  // namespace weft
