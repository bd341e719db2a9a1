#include <csignal>
#include <optional>

#include "tests/support/catch.hpp"
#include "weft/io/io.hpp"

using namespace weft;

TEST_CASE("each signal is told on the loop, as long as somebody wants to know") {
  io::IoLoop loop;
  std::vector<int> seen;
  std::optional<io::Signals> signals;
  signals.emplace(loop, std::vector{SIGUSR1, SIGUSR2}, [&](int number) {
    seen.push_back(number);
    if (seen.size() == 1) return void(::raise(SIGUSR2));
    signals.reset();
    loop.stop();
  });
  ::raise(SIGUSR1);
  loop.run();
  CHECK(seen == std::vector{SIGUSR1, SIGUSR2});
}
