// Randomness comes in by constructor, so that tests replay a seed.
#pragma once
#include <cstdint>
#include <random>

namespace weft {

/// Not for keys or tokens. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  static Random from_os() {
    std::random_device device;
    return Random((std::uint64_t{device()} << 32) ^ device());
  }
  std::uint64_t next() { return engine_(); }
  /// Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound) {
    return bound == 0 ? 0 : std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  /// Uniform in [0, 1).
  double unit() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace weft
