// How many publications of 128 bytes a second arrive at one subscriber while the publisher publishes as fast as it can?
// What is dropped on the way is not counted. Not covered: fan-out to many, many topics.
#include "bench/raw_side.hpp"
#include "bench/weft_side.hpp"

using namespace weft::bench;

namespace {
constexpr double kSeconds = 1.0;
}

int main(int argc, char** argv) {
  const Side weft{weft_publisher, [](const std::string& endpoint) {
                    return Figures{{"publish.fan_out_1", weft_receive_rate(endpoint, kSeconds)}};
                  }};
  const Side raw{raw_publisher, [](const std::string& endpoint) {
                   return Figures{{"publish.fan_out_1", raw_receive_rate(endpoint, kSeconds)}};
                 }};
  return run(argc, argv, {{"publish.fan_out_1", "1/s"}}, weft, raw);
}
