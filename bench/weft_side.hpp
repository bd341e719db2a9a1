// The same work through Weft: two processes with a mesh::Peer each, over tcp on loopback, as agents use it.
#pragma once
#include "bench/harness.hpp"

namespace weft::bench {

using Ready = std::function<void(const std::string& endpoint)>;

/// Serves `bench.echo`.
void weft_echo_server(const Ready& ready);
/// Publishes on `bench.topic` for ever.
void weft_publisher(const Ready& ready);

/// Seconds that each of `calls` calls took, one after another.
std::vector<double> weft_round_trips(const std::string& endpoint, std::size_t calls);
/// Calls a second with `outstanding` of them under way.
double weft_call_rate(const std::string& endpoint, std::size_t outstanding, std::size_t calls);
/// Publications a second that arrive.
double weft_receive_rate(const std::string& endpoint, double seconds);

}  // namespace weft::bench
