// Plain YAML words to values by the core schema of YAML 1.2 (yaml.org/spec/1.2.2 chapter 10.3). Private to config.
#pragma once
#include <string>

#include "weft/base/value.hpp"

namespace weft::config {

/// `yes` and `on` are text. Errors: `bad_value` for integers outside int64, infinities and not-a-numbers, which no
/// configuration can hold.
Result<Value> plain_scalar(const std::string& word);
/// The same for a word under an explicit tag ("tag:yaml.org,2002:int"). Errors: also unknown tags and misfits.
Result<Value> tagged_scalar(const std::string& tag, const std::string& word);

}  // namespace weft::config
