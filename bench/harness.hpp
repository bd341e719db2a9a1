// Runs the same work through Weft and through raw libzmq in turn (A B A B …) and prints medians. Every run is a pair of
// fresh processes, a server and a client, pinned to one core unless --free is given.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weft::bench {

using Figures = std::map<std::string, double>;  ///< by id of the work

/// One way to do the work.
struct Side {
  /// Binds, calls `ready` with the endpoint, and serves until it is killed.
  std::function<void(std::function<void(const std::string& endpoint)> ready)> serve;
  /// Does the work against `endpoint`; in a process of its own.
  std::function<Figures(const std::string& endpoint)> measure;
};

struct Work {
  std::string id;    ///< "call.round_trip_p50"
  std::string unit;  ///< "us": less is better; "1/s": more is better
};

/// main() of a benchmark: [--json] [--free] [--runs N]. Returns its exit code.
int run(int argc, char** argv, const std::vector<Work>& works, const Side& weft, const Side& raw);

double median(std::vector<double> values);
/// `fraction` of the values are at or below it; sorts. 0 for none.
double percentile(std::vector<double>& values, double fraction);

inline constexpr std::size_t kPayloadSize = 128;

}  // namespace weft::bench
