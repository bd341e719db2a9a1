#include "weft/base/error_event.hpp"

#include "weft/base/text.hpp"

namespace weft {
namespace {
constexpr std::string_view kSeverities[] = {"info", "warning", "error", "critical"};
}

std::string_view to_string(Severity severity) noexcept { return kSeverities[static_cast<std::size_t>(severity)]; }

Result<Severity> from_text(std::string_view name, std::type_identity<Severity>) {
  for (std::size_t i = 0; i < std::size(kSeverities); ++i) {
    if (kSeverities[i] == name) return static_cast<Severity>(i);
  }
  return Error(codes::bad_value, "'" + std::string(name.substr(0, 40)) + "' is not info, warning, error or critical");
}

std::string ErrorEvent::text() const {
  std::string out;
  std::string_view rest = message;
  for (;;) {
    const auto open = rest.find('{');
    const auto close = open == std::string_view::npos ? open : rest.find('}', open);
    if (close == std::string_view::npos) return out.append(rest);
    out.append(rest.substr(0, open));
    const auto value = values.find(std::string(rest.substr(open + 1, close - open - 1)));
    if (value == values.end()) {
      out.append(rest.substr(open, close - open + 1));
    } else {
      out += value->second.is_string() ? value->second.as_string() : to_json(value->second);
    }
    rest = rest.substr(close + 1);
  }
}

}  // namespace weft
