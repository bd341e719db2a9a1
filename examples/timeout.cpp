// A question with a time limit: a coroutine handler asks another actor, which answers one time too late, one time soon.
#include <iostream>

#include "weather.hpp"

using namespace std::chrono_literals;

int main() {
  weft::actor::System system(weft::actor::parallel());
  const auto station = system.spawn<Station>();
  const auto reporter = system.spawn<Reporter>(station.value());

  const auto late = system.ask(reporter.value(), Weather{"Ulm", 20ms}).wait(5s);
  const auto soon = system.ask(reporter.value(), Weather{"Graz", 5s}).wait(5s);
  std::cout << late.value() << '\n' << soon.value() << '\n';
  return late == "nobody told about Ulm" && soon == "sunny in Graz" ? 0 : 1;
}
