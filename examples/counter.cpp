// A counter: messages, state of one's own, and a question from main().
#include <iostream>
#include <weft/actor.hpp>

using namespace std::chrono_literals;
namespace actor = weft::actor;

struct Add {
  int amount = 0;
};
struct Get {};

class Counter {
 public:
  using Messages = actor::Handles<Add, Get>;
  void on(Add add) { sum_ += add.amount; }
  int on(Get) { return sum_; }

 private:
  int sum_ = 0;
};

int main() {
  actor::System system(actor::parallel());
  const auto counter = system.spawn<Counter>().value();  // value() throws where an error would surprise
  for (int amount = 1; amount <= 100; ++amount) {
    if (const auto sent = system.send(counter, Add{amount}); !sent) std::cerr << sent.error().describe() << '\n';
  }
  const weft::Result<int> sum = system.ask(counter, Get{}).wait(5s);
  if (!sum) std::cerr << sum.error().describe() << '\n';
  std::cout << "1 + 2 + … + 100 = " << sum.value_or(0) << '\n';
  return sum == 5050 && system.shutdown().clean() ? 0 : 1;
}
