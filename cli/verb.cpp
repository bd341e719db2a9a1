#include "cli/verb.hpp"

#include <algorithm>

namespace weft::cli {

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    words.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

namespace {

Option option(std::string_view names, std::string_view type, std::string_view text, Option::Target target) {
  Option made;
  made.names = names;
  made.type = type;
  made.text = text;
  made.target = target;
  return made;
}

std::vector<std::string> names_of(const Option& option, bool long_ones) {
  std::vector<std::string> found;
  for (auto& name : words_of(option.names)) {
    if (name.starts_with('-') && name.starts_with("--") == long_ones) found.push_back(std::move(name));
  }
  return found;
}

}  // namespace

Option Option::required() && {
  is_required = true;
  return std::move(*this);
}

Option Option::from_environment(std::string_view variable) && {
  environment = variable;
  return std::move(*this);
}

Option Option::with_default_shown() && {
  shows_default = true;
  return std::move(*this);
}

Option Option::several_words() && {
  takes_words = true;
  return std::move(*this);
}

Option Option::noting(bool& given) && {
  was_given = &given;
  return std::move(*this);
}

Option flag(std::string_view names, bool& out, std::string_view text) { return option(names, "", text, &out); }

Option text(std::string_view names, std::string& out, std::string_view type, std::string_view text) {
  return option(names, type, text, &out);
}

Option texts(std::string_view names, std::vector<std::string>& out, std::string_view type, std::string_view text) {
  return option(names, type, text, &out);
}

Option choice(std::string_view names, std::string& out, std::string_view values, std::string_view type,
              std::string_view text) {
  Option made = option(names, type, text, &out);
  made.one_of = values;
  return made;
}

Option number(std::string_view names, std::uint64_t& out, Bounds bounds, std::string_view text) {
  Option made = option(names, "N", text, &out);
  made.bounds = bounds;
  made.shows_default = true;
  return made;
}

Option number(std::string_view names, std::uint64_t& out, std::string_view text) {
  return option(names, "N", text, &out);
}

Option real(std::string_view names, double& out, Bounds bounds, std::string_view text) {
  Option made = option(names, "N", text, &out);
  made.bounds = bounds;
  return made;
}

Option duration(std::string_view names, Duration& out, std::string_view text) {
  Option made = option(names, "DURATION", text, &out);
  made.shows_default = out > Duration::zero();
  return made;
}

std::vector<std::string> long_names(const Option& option) { return names_of(option, true); }
std::vector<std::string> short_names(const Option& option) { return names_of(option, false); }

}  // namespace weft::cli
