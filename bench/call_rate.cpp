// How many calls a second does one client get through one server with 10 and with 1000 of them under way, 128 bytes
// each way? Not covered: several clients or servers, handlers that do work.
#include "bench/raw_side.hpp"
#include "bench/weft_side.hpp"

using namespace weft::bench;

namespace {

constexpr std::size_t kFew = 10, kMany = 1000;
constexpr std::size_t kCallsFew = 50'000, kCallsMany = 300'000;

template <class Rate>
Figures figures_of(Rate rate, const std::string& endpoint) {
  return {{"call.pipelined_10", rate(endpoint, kFew, kCallsFew)},
          {"call.pipelined_1000", rate(endpoint, kMany, kCallsMany)}};
}

}  // namespace

int main(int argc, char** argv) {
  const Side weft{weft_echo_server, [](const std::string& endpoint) { return figures_of(weft_call_rate, endpoint); }};
  const Side raw{raw_echo_server, [](const std::string& endpoint) { return figures_of(raw_call_rate, endpoint); }};
  return run(argc, argv, {{"call.pipelined_10", "1/s"}, {"call.pipelined_1000", "1/s"}}, weft, raw);
}
