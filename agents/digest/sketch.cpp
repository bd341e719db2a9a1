// Logarithmic bins.
#include "agents/digest/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::digest {

namespace {
constexpr double kLeast = 1e-9, kMost = 1e18;
constexpr int kShift = 1100;  // makes the exponent of kLeast positive: log(1e-9)/log(gamma) is -1036
const double kGamma = (1 + kSketchError) / (1 - kSketchError);
const double kLogGamma = std::log(kGamma);

std::int16_t key_of(double value) noexcept {
  const double magnitude = std::min(std::abs(value), kMost);
  if (magnitude < kLeast) return 0;
  const int exponent = static_cast<int>(std::ceil(std::log(magnitude) / kLogGamma)) + kShift;
  return static_cast<std::int16_t>(value < 0 ? -exponent : exponent);
}

double value_of(std::int16_t key) noexcept {
  if (key == 0) return 0;
  const double magnitude = 2 * std::pow(kGamma, std::abs(key) - kShift) / (kGamma + 1);
  return key < 0 ? -magnitude : magnitude;
}
}  // namespace

void Sketch::add(double value) {
  const auto key = key_of(value);
  auto bin = std::lower_bound(bins_.begin(), bins_.end(), key, [](const Bin& b, std::int16_t k) { return b.key < k; });
  if (bin == bins_.end() || bin->key != key) bin = bins_.insert(bin, {key, 0});
  if (bin->count < std::numeric_limits<std::uint16_t>::max()) ++bin->count;
  if (bins_.size() > kBinsMax) join_smallest();
}

void Sketch::join_smallest() {
  std::size_t best = 0;
  const auto together = [&](std::size_t i) { return int{bins_[i].count} + bins_[i + 1].count; };
  for (std::size_t i = 1; i + 1 < bins_.size(); ++i) {
    if (together(i) < together(best)) best = i;
  }
  const int sum = std::min(together(best), int{std::numeric_limits<std::uint16_t>::max()});
  const auto& larger = bins_[best].count > bins_[best + 1].count ? bins_[best] : bins_[best + 1];
  bins_[best] = {larger.key, static_cast<std::uint16_t>(sum)};
  bins_.erase(bins_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

void Sketch::add_to(Counts& counts) const {
  for (const auto& bin : bins_) counts[bin.key] += bin.count;
}

std::uint64_t rank_of(std::uint64_t total, double quantile) noexcept {
  const auto rank = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  return std::clamp<std::uint64_t>(rank, 1, std::max<std::uint64_t>(total, 1));
}

double quantile_of(const Sketch::Counts& counts, std::uint64_t total, double quantile) noexcept {
  std::uint64_t left = rank_of(total, quantile);
  for (const auto& [key, count] : counts) {
    if (count >= left) return value_of(key);
    left -= count;
  }
  return 0;
}

}  // namespace weft::digest
