#include "weft/policy/policy.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "weft/base/target.hpp"

namespace weft::policy {
namespace {

constexpr std::string_view kSection = "mesh.policies";
constexpr auto kBalances = std::to_array<std::string_view>({"nearest", "round_robin", "random_two", "hash"});
static_assert(kBalances.size() == kBalanceCount);
constexpr auto kRetryOn = std::to_array<std::string_view>({"refused", "retryable", "failed"});
static_assert(kRetryOn.size() == kRetryOnCount);

template <class E, std::size_t N>
Result<E> named(const std::array<std::string_view, N>& names, std::string_view name, const char* what) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<E>(i);
  return Error(codes::bad_value, "no " + std::string(what) + " '" + std::string(name) + "'" +
                                     did_you_mean(name, {names.begin(), names.end()}));
}

/// `*` stands for any number of letters.
bool glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

auto specificity(const std::string& part) noexcept {
  const auto stars = static_cast<std::size_t>(std::count(part.begin(), part.end(), '*'));
  return std::pair(stars == 0, part.size() - stars);
}

void collect(const config::Config& config, const std::string& path, const std::string& key, const Value& value,
             const std::string& pattern, std::vector<PolicySetting>& out) {
  if (value.is_map()) {
    for (const auto& [name, member] : value.as_map())
      collect(config, path + "." + name, key.empty() ? name : key + "." + name, member, pattern, out);
    return;
  }
  out.push_back({key, value, pattern, config.origin(path).where()});
}

void set(Value& tree, std::string_view key, const Value& value) {
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) {
    tree.set(std::string(key), value);
    return;
  }
  const std::string section(key.substr(0, dot));
  Value inner = tree[section];
  set(inner, key.substr(dot + 1), value);
  tree.set(section, std::move(inner));
}

}  // namespace

std::string_view to_string(Balance balance) noexcept { return kBalances[static_cast<std::size_t>(balance)]; }
Result<Balance> from_text(std::string_view name, std::type_identity<Balance>) {
  return named<Balance>(kBalances, name, "way of balancing");
}
std::string_view to_string(RetryOn on) noexcept { return kRetryOn[static_cast<std::size_t>(on)]; }
Result<RetryOn> from_text(std::string_view name, std::type_identity<RetryOn>) {
  return named<RetryOn>(kRetryOn, name, "reason to retry");
}

Result<TargetPattern> TargetPattern::parse(std::string_view text) {
  TargetPattern pattern;
  pattern.text_ = text;
  const auto parts = split_target(text);
  pattern.agent_ = parts.agent;
  pattern.method_ = text.size() == parts.agent.size() ? "*" : parts.method;
  for (std::string part : {pattern.agent_, pattern.method_}) {
    std::replace(part.begin(), part.end(), '*', '_');
    if (!check_name("target", part))
      return Error(codes::bad_config, "'" + std::string(text.substr(0, 2 * kNameMax)) + "' is no target",
                   "wanted an agent (digest), agent.method (digest.summary), both with * for any letters");
  }
  return pattern;
}

bool TargetPattern::matches(std::string_view agent, std::string_view method) const noexcept {
  return glob(agent_, agent) && glob(method_, method);
}

bool operator<(const TargetPattern& a, const TargetPattern& b) {
  const auto order = [](const TargetPattern& one) {
    return std::tuple(specificity(one.agent_), specificity(one.method_));
  };
  return std::pair(order(a), std::string_view(a.text_)) < std::pair(order(b), std::string_view(b.text_));
}

const PolicySetting* EffectivePolicy::setting(std::string_view key) const noexcept {
  const auto found = std::find_if(settings.begin(), settings.end(), [&](const auto& one) { return one.key == key; });
  return found == settings.end() ? nullptr : &*found;
}

Policies::Policies() {
  Rule rule{TargetPattern::parse("*").value(), {}};
  config::Config nothing;
  collect(nothing, "", "", to_value(Policy()), "*", rule.settings);
  rules_.push_back(std::move(rule));
}

Result<Policies> Policies::from(const config::Config& config) {
  Policies policies;
  const Value& section = config.at(kSection);
  if (!section.is_map()) return policies;
  for (const auto& [text, value] : section.as_map()) {
    const std::string path = std::string(kSection) + "." + text;
    auto pattern = TargetPattern::parse(text);
    if (!pattern) return Error(codes::bad_config, path + ": " + pattern.error().message, pattern.error().hint);
    if (auto fits = from_value<Policy>(value, path); !fits) return Error(codes::bad_config, fits.error().message);
    Rule rule{std::move(*pattern), {}};
    collect(config, path, "", value, text, rule.settings);
    policies.rules_.push_back(std::move(rule));
  }
  std::stable_sort(policies.rules_.begin(), policies.rules_.end(),
                   [](const Rule& a, const Rule& b) { return a.pattern < b.pattern; });
  return policies;
}

const EffectivePolicy& Policies::policy_for(std::string_view target) const {
  if (const auto found = seen_.find(target); found != seen_.end()) return *found->second;
  const auto dot = target.find('.');
  const auto agent = target.substr(0, dot);
  const auto method = dot == std::string_view::npos ? std::string_view() : target.substr(dot + 1);
  std::vector<std::size_t> matching;
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (rules_[i].pattern.matches(agent, method)) matching.push_back(i);
  const EffectivePolicy& policy = effective(matching);
  if (seen_.size() >= kTargetsRemembered) seen_.clear();
  seen_.emplace(target, &policy);
  return policy;
}

const EffectivePolicy& Policies::effective(const std::vector<std::size_t>& matching) const {
  auto& made = made_[matching];
  if (made) return *made;
  made = std::make_unique<EffectivePolicy>();
  std::map<std::string, PolicySetting> winners;
  for (const auto index : matching)
    for (const auto& setting : rules_[index].settings) winners[setting.key] = setting;
  Value tree;
  for (auto& [key, setting] : winners) {
    set(tree, key, setting.value);
    made->settings.push_back(std::move(setting));
  }
  made->policy = from_value<Policy>(tree, std::string(kSection)).value();  // each part was read once in from()
  return *made;
}

std::shared_ptr<const Policies> policies_from(const config::Config& config) {
  auto policies = Policies::from(config);
  if (!policies) throw std::logic_error("configuration: " + policies.error().describe());
  return std::make_shared<const Policies>(std::move(*policies));
}

}  // namespace weft::policy
