// Sketch: quantiles of many values in bounded memory, each within one percent of the value that has that rank.
// DDSketch: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019. Values.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

namespace weft::digest {

inline constexpr double kSketchError = 0.01;  ///< relative; magnitudes below 1e-9 count as 0, above 1e18 as 1e18

class Sketch {
 public:
  using Counts = std::map<std::int16_t, std::uint64_t>;  ///< several sketches added up, by bin, in order of value
  /// With more than that (so never below 129 values) the two neighbours that hold fewest values are joined, and only
  /// what lies in them is off by more than kSketchError.
  static constexpr std::size_t kBinsMax = 128;

  void add(double value);
  void add_to(Counts& counts) const;

 private:
  struct Bin {
    std::int16_t key;     // the rounded logarithm of the values in it
    std::uint16_t count;  // stays at its maximum
  };
  void join_smallest();
  std::vector<Bin> bins_;  // sorted
};

/// The value of rank ceil(quantile * total), from 1; 0 of nothing.
double quantile_of(const Sketch::Counts& counts, std::uint64_t total, double quantile) noexcept;
/// ceil(quantile * total), at least 1: the rank that both kinds of window use.
std::uint64_t rank_of(std::uint64_t total, double quantile) noexcept;

}  // namespace weft::digest
