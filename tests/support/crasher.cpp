// An agent that dies in the way that a call asks for: for the tests of crash records.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "weft/agent.hpp"

namespace crash {

// What the compiler could see through is hidden behind volatile; what must be a frame of its own is not inlined, and
// does something after its last call, which would be a jump without a trace otherwise.
volatile int zero = 0;
int* volatile nowhere = nullptr;

[[gnu::noinline]] void null_write() { *nowhere = 1; }
[[gnu::noinline]] void null_write_elsewhere() { *nowhere = 2; }
[[gnu::noinline]] int divide(int by) { return 7 / by; }
[[gnu::noinline]] void illegal() { __builtin_trap(); }
[[gnu::noinline]] int overflow(int depth) {
  if (depth < 0) return zero;
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return overflow(depth + 1) + frame[0];
}
[[gnu::noinline]] void double_free() {
  void* volatile block = std::malloc(64);
  std::free(block);
  std::free(block);
  zero = 0;
}
[[gnu::noinline]] void throw_out_of(int number) { throw std::out_of_range("no shelf " + std::to_string(number)); }
[[gnu::noinline]] void from_noexcept() noexcept { throw_out_of(12); }
[[gnu::noinline]] void call_abort() { std::abort(); }
[[gnu::noinline]] void call_null() {
  void (*volatile function)() = nullptr;
  function();
  zero = 0;
}
[[gnu::noinline]] void spin() {
  while (zero == 0) {
  }
}
[[gnu::noinline]] void eat_memory() {
  for (std::vector<std::vector<char>> blocks;;) blocks.emplace_back(std::size_t{1} << 20, 'x');
}

}  // namespace crash

namespace {

struct Order {
  std::string way;
  int number = 0;
  WEFT_FIELDS(Order, way, number)
};

class Crasher {
 public:
  explicit Crasher(weft::Agent& agent) : agent_(agent) {
    agent.serve(
        "die", [this](Order order, weft::Call&) { return obey(std::move(order)); }, "dies at once");
  }

 private:
  weft::Task<weft::Result<std::string>> obey(Order order) {
    agent_.log().warn("about to die", {{"way", order.way}, {"number", order.number}});
    if (order.way == "loop") agent_.loop().post([number = order.number] { crash::throw_out_of(number); });
    die(order);
    co_return "alive";
  }
  static void die(const Order& order) {
    const std::string& way = order.way;
    if (way == "abort") crash::call_abort();
    if (way == "null") crash::null_write();
    if (way == "null-elsewhere") crash::null_write_elsewhere();
    if (way == "call-null") crash::call_null();
    if (way == "divide") std::exit(crash::divide(crash::zero));
    if (way == "illegal") crash::illegal();
    if (way == "overflow") std::exit(crash::overflow(0));
    if (way == "double-free") crash::double_free();
    if (way == "noexcept") crash::from_noexcept();
    if (way == "thread") std::thread([] { crash::throw_out_of(7); }).join();
    if (way == "thread-null") std::thread([] { crash::null_write(); }).join();
    if (way == "exit") std::_Exit(order.number);
    if (way == "spin") crash::spin();
    if (way == "memory") crash::eat_memory();
    if (way == "throw") crash::throw_out_of(order.number);
    if (way == "kill") (void)::kill(::getpid(), order.number);
  }

  weft::Agent& agent_;
};

}  // namespace

int main(int argc, char** argv) {
  return weft::run_agent(argc, argv, {"crasher", "1.0.0", "dies as it is told"},
                         [](weft::Agent& agent) { return std::make_shared<Crasher>(agent); });
}
