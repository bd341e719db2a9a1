#include <algorithm>

#include "weft/observe/observe.hpp"

namespace weft::observe {

void Health::set(const std::string& check, bool ok, std::string text) {
  set(check, ok ? pass : critical, std::move(text));
}

void Health::set(const std::string& check, Status status, std::string text) {
  const auto [found, added] = checks_.try_emplace(check);
  Check& now = found->second;
  if (!added && now.status == status && now.text == text) return;
  now = {status != critical, std::move(text), status};
  if (changed_) changed_(found->first, now);
}

bool Health::ready() const noexcept {
  return started_ && std::all_of(checks_.begin(), checks_.end(), [](const auto& named) { return named.second.ok; });
}

Health::Check Health::worst(std::span<const std::string_view> except) const {
  Check out{true, {}, pass};
  for (const auto& [name, check] : checks_) {
    if (std::find(except.begin(), except.end(), name) == except.end()) out.status = std::max(out.status, check.status);
  }
  out.ok = out.status != critical;
  for (const auto& [name, check] : checks_) {  // of those that are not well, the worst ones first
    const bool counts = std::find(except.begin(), except.end(), name) == except.end();
    if (!counts || check.status != out.status) continue;
    if (out.status == pass && (name != kOwnWord || check.text.empty())) continue;
    out.text +=
        (out.text.empty() ? "" : "; ") + (name == kOwnWord ? "" : name + (check.text.empty() ? "" : ": ")) + check.text;
  }
  return out;
}

}  // namespace weft::observe
