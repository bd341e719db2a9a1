#include "weft/mesh/interceptor.hpp"

namespace weft::mesh {

std::vector<std::string_view> Interceptors::names() const {
  std::vector<std::string_view> names;
  for (const auto& interceptor : all_) names.push_back(interceptor->name);
  return names;
}

}  // namespace weft::mesh
