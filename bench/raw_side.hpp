// The anchor: the same work on plain libzmq with its blocking API, as a careful C++ programmer writes it.
#pragma once
#include "bench/harness.hpp"

namespace weft::bench {

using Ready = std::function<void(const std::string& endpoint)>;

/// ROUTER that sends each message back to whom it came from.
void raw_echo_server(const Ready& ready);
/// PUB that publishes for ever.
void raw_publisher(const Ready& ready);

/// Seconds that each of `calls` calls took, one after another.
std::vector<double> raw_round_trips(const std::string& endpoint, std::size_t calls);
/// Calls a second with `outstanding` of them under way.
double raw_call_rate(const std::string& endpoint, std::size_t outstanding, std::size_t calls);
/// Publications a second that arrive.
double raw_receive_rate(const std::string& endpoint, double seconds);

}  // namespace weft::bench
