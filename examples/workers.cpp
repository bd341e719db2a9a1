// Workers in a pool under a supervisor: one throws at a bad job and is started again; the others work on.
#include <iostream>
#include <stdexcept>
#include <string>
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

/// Jobs of the worker that starts again wait in its mailbox meanwhile.
int sum_of_squares(actor::System& system, const actor::Pool<Worker>& pool, int numbers) {
  std::vector<actor::Pending<int>> answers;
  for (int number = 1; number <= numbers; ++number) answers.push_back(system.ask(pool.pick(), Square{number}));
  int sum = 0;
  for (auto& answer : answers) sum += answer.wait(5s).value_or(0);
  return sum;
}

int main() {
  actor::System system(actor::parallel());

  actor::PoolOptions options;
  options.name = "workers";
  options.size = 3;
  options.supervision.backoff = actor::Backoff::none();  // by default 100 ms, 200 ms, … before each restart
  const auto pool = system.start_pool<Worker>(options);
  if (!pool) {
    std::cerr << pool.error().describe() << '\n';
    return 1;
  }
  const auto refused = system.ask(pool->pick(), Square{-1}).wait(5s);
  std::cout << "of -1: " << (refused ? "an answer" : refused.error().describe()) << '\n';
  const int sum = sum_of_squares(system, *pool, 30);
  const bool clean = system.shutdown().clean();  // now nothing runs, and counts are exact
  const std::uint64_t restarts = system.totals().restarts;
  std::cout << "1² + 2² + … + 30² = " << sum << ", after " << restarts << " restart\n";

  return !refused && sum == 9455 && restarts == 1 && clean ? 0 : 1;
}
