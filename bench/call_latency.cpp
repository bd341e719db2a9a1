// How long does one call take, from asking to having the answer, 128 bytes each way, one call at a time? Not covered:
// resolving an agent by name, other sizes, a network between.
#include "bench/raw_side.hpp"
#include "bench/weft_side.hpp"

using namespace weft::bench;

namespace {

constexpr std::size_t kWarmUp = 1000, kCalls = 10'000;

Figures figures_of(std::vector<double> seconds) {
  seconds.erase(seconds.begin(), seconds.begin() + kWarmUp);
  return {{"call.round_trip_p50", 1e6 * percentile(seconds, 0.50)},
          {"call.round_trip_p99", 1e6 * percentile(seconds, 0.99)}};
}

}  // namespace

int main(int argc, char** argv) {
  const Side weft{weft_echo_server,
                  [](const std::string& endpoint) { return figures_of(weft_round_trips(endpoint, kWarmUp + kCalls)); }};
  const Side raw{raw_echo_server,
                 [](const std::string& endpoint) { return figures_of(raw_round_trips(endpoint, kWarmUp + kCalls)); }};
  return run(argc, argv, {{"call.round_trip_p50", "us"}, {"call.round_trip_p99", "us"}}, weft, raw);
}
