// The one place that knows the schema library: a document against a schema, as findings with paths. Private to config.
#pragma once
#include <string>
#include <vector>

#include "weft/base/value.hpp"

namespace weft::config {

struct Finding {
  enum class Kind : std::uint8_t {
    value,        ///< the value at `path` is not what is wanted
    unknown_key,  ///< the map at `path` has keys that are not known; `key` is one of them
    missing,      ///< the map at `path` lacks `key`
    alternative,  ///< the value at `path` fits none of several schemas; findings below say more
    enclosing,    ///< something below `path` is wrong
  };
  Kind kind = Kind::value;
  std::vector<std::string> path;  ///< keys, and indices as text
  std::string key;
};
/// Errors: `bad_config`: the schema itself is wrong.
Result<std::vector<Finding>> validate(const Value& schema, const Value& document);

}  // namespace weft::config
