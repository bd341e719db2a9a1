#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "tests/support/catch.hpp"
#include "weft/io/io.hpp"

using namespace weft;

namespace {
struct EventFd {
  int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  ~EventFd() { ::close(fd); }
  void raise() const { REQUIRE(::eventfd_write(fd, 1) == 0); }
  bool drain() const {
    eventfd_t value = 0;
    return ::eventfd_read(fd, &value) == 0;
  }
};
}  // namespace

TEST_CASE("posted work runs in order, and work that it posts runs later") {
  io::IoLoop loop;
  std::string order;
  loop.post([&] {
    order += 'a';
    loop.post([&] {
      order += 'c';
      loop.stop();
    });
  });
  loop.post([&] { order += 'b'; });
  loop.run();
  CHECK(order == "abc");
}

TEST_CASE("another thread wakes a loop that sleeps") {
  io::IoLoop loop;
  std::thread::id ran_on;
  std::thread other;
  loop.post([&] {
    other = std::thread([&] {
      loop.post([&] {
        ran_on = std::this_thread::get_id();
        loop.stop();
      });
    });
  });
  loop.run();
  other.join();
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("everything that many threads post runs") {
  io::IoLoop loop;
  constexpr int kThreads = 4, kEach = 5000;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        loop.post([&] {
          if (++ran == kThreads * kEach) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads) thread.join();
  CHECK(ran == kThreads * kEach);
}

TEST_CASE("the end of a turn comes before the next turn, once") {
  io::IoLoop loop;
  std::string order;
  loop.post([&] {
    loop.at_turn_end([&] { order += 'e'; });
    loop.post([&] {
      order += 'p';
      loop.stop();
    });
    order += 'w';
  });
  loop.run();
  CHECK(order == "wep");
}

TEST_CASE("turn-end work asked for at a turn's end runs before the loop sleeps") {
  io::IoLoop loop;
  bool slept = false;
  loop.after(5s, [&] {  // without it a failure would be a test that hangs
    slept = true;
    loop.stop();
  });
  loop.post([&] { loop.at_turn_end([&] { loop.at_turn_end([&] { loop.stop(); }); }); });
  loop.run();
  CHECK_FALSE(slept);
}

TEST_CASE("timers run in order of time, never early, and not when cancelled") {
  io::IoLoop loop;
  std::string order;
  const auto start = loop.now();
  loop.after(3ms, [&] {
    CHECK(loop.now() - start >= 3ms);
    order += 'c';
    loop.stop();
  });
  loop.after(1ms, [&] {
    CHECK(loop.now() - start >= 1ms);
    order += 'b';
  });
  loop.after(0ms, [&] { order += 'a'; });
  const auto never = loop.after(2ms, [&] { order += 'x'; });
  loop.post([&] { loop.cancel(never); });
  loop.run();
  CHECK(order == "abc");
}

TEST_CASE("a timer may set another that is due at once") {
  io::IoLoop loop;
  bool slept = false;
  loop.after(5s, [&] {
    slept = true;
    loop.stop();
  });
  loop.after(0ms, [&] { loop.after(0ms, [&] { loop.stop(); }); });
  loop.run();
  CHECK_FALSE(slept);
}

TEST_CASE("a timer set earlier than the one waited for runs first") {
  io::IoLoop loop;
  bool late = false;
  loop.after(1h, [&] { late = true; });
  loop.after(1ms, [&] { loop.after(1ms, [&] { loop.stop(); }); });
  loop.run();
  CHECK_FALSE(late);
}

TEST_CASE("a descriptor calls back each time it turns readable, until it is no longer watched") {
  io::IoLoop loop;
  EventFd event;
  int calls = 0;
  io::IoLoop::Id watch = 0;
  watch = loop.watch(event.fd, [&] {
    CHECK(event.drain());
    if (++calls < 3) return event.raise();
    loop.unwatch(watch);
    event.raise();
    loop.after(2ms, [&] { loop.stop(); });
  });
  event.raise();
  loop.run();
  CHECK(calls == 3);
  CHECK(event.drain());  // still open, still ours
}

TEST_CASE("what a watch owns is let go when the watch ends, inside its callback too") {
  io::IoLoop loop;
  EventFd event;
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> seen = owned;
  io::IoLoop::Id inside = 0;
  inside = loop.watch(event.fd, [&, owned = std::move(owned)] {
    loop.unwatch(inside);
    CHECK(*owned == 1);
    loop.post([&] { loop.stop(); });
  });
  event.raise();
  loop.run();
  CHECK(seen.expired());
  auto second = std::make_shared<int>(2);
  seen = second;
  loop.unwatch(loop.watch(event.fd, [second = std::move(second)] {}));
  CHECK(seen.expired());
}

TEST_CASE("a message handled in one turn is answered at the end of that turn") {
  io::IoLoop loop;
  EventFd in, out;
  bool flushed_before_next = false;
  loop.watch(in.fd, [&] {
    in.drain();
    loop.at_turn_end([&] { out.raise(); });
    loop.post([&] { flushed_before_next = out.drain(); });
    loop.after(0ms, [&] { loop.stop(); });
  });
  in.raise();
  loop.run();
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(flushed_before_next);
}

TEST_CASE("posting without end does not starve timers and descriptors") {
  io::IoLoop loop;
  EventFd event;
  bool timer = false, watch = false;
  std::function<void()> again = [&] { timer&& watch ? loop.stop() : loop.post([&] { again(); }); };
  loop.after(1ms, [&] { timer = true; });
  loop.watch(event.fd, [&] { watch = event.drain(); });
  event.raise();
  loop.post([&] { again(); });
  loop.run();
  CHECK((timer && watch));
}

TEST_CASE("a loop tells other threads how long its turn has been running") {
  io::IoLoop loop;
  CHECK(loop.stuck_for() == 0ns);
  loop.post([&] {
    std::thread other([&] {
      while (loop.stuck_for() < 1ms) std::this_thread::yield();
    });
    other.join();
    loop.stop();
  });
  loop.run();
  CHECK(loop.stuck_for() == 0ns);
}

TEST_CASE("work that never ran is let go with the loop, and may still cancel what it holds") {
  struct Holder {
    Holder(io::IoLoop& on, int& count) : timer(on), gone(count) {
      timer.start(1h, [] {});
    }
    ~Holder() { ++gone; }
    Timer timer;
    int& gone;
  };
  int gone = 0;
  EventFd event;
  auto loop = std::make_unique<io::IoLoop>();
  loop->post([holder = std::make_shared<Holder>(*loop, gone)] {});
  loop->after(1h, [holder = std::make_shared<Holder>(*loop, gone)] {});
  loop->watch(event.fd, [holder = std::make_shared<Holder>(*loop, gone)] {});
  loop->at_turn_end([holder = std::make_shared<Holder>(*loop, gone)] {});
  loop.reset();
  CHECK(gone == 4);
}
