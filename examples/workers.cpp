// Workers in a pool under a supervisor: one throws at a bad job and is started again; the others work on.
#include <iostream>
#include <stdexcept>
#include <vector>
#include <weft/actor.hpp>

using namespace std::chrono_literals;
namespace actor = weft::actor;

struct Square {
  int number = 0;
};

class Worker {
 public:
  using Messages = actor::Handles<Square>;
  int on(Square square) {
    if (square.number < 0) throw std::invalid_argument("no negative numbers today");
    return square.number * square.number;
  }
};

int main() {
  actor::PrintingMonitor monitor;  // without one nobody hears of exceptions
  actor::System system(actor::parallel(), {}, &monitor);
  actor::PoolOptions options;
  options.name = "workers";
  options.size = 3;
  options.supervision.backoff = actor::Backoff::none();  // by default 100 ms, 200 ms, … before a restart
  const auto pool = system.start_pool<Worker>(options).value();

  const auto refused = system.ask(pool.pick(), Square{-1}).wait(5s);
  if (!refused) std::cout << "of -1: " << refused.error().describe() << '\n';

  std::vector<actor::Pending<int>> answers;  // what is for the failed one waits until it is back
  for (int number = 1; number <= 30; ++number) answers.push_back(system.ask(pool.pick(), Square{number}));
  int sum = 0;
  for (auto& answer : answers) sum += answer.wait(5s).value_or(0);

  const bool clean = system.shutdown().clean();  // from here on nothing runs, and counts are exact
  const auto restarts = system.totals().restarts;
  std::cout << "1² + 2² + … + 30² = " << sum << ", after " << restarts << " restart\n";
  return !refused && sum == 9455 && restarts == 1 && clean ? 0 : 1;
}
