// Requests: answers that come early, late, from elsewhere, or never.
#include <thread>

#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

struct Twice {
  int value = 0;
};
struct Ignored {
  using Reply = int;
};
struct Refused {};
struct Nothing {};
struct Slow {
  Duration time{};
};
struct Release {};

class Server {
 public:
  using Messages = Handles<Twice, Ignored, Refused, Nothing, Slow, Boom, Release>;
  int on(Twice twice) { return 2 * twice.value; }
  void on(Ignored, Context& context) { held_ = context.reply_later<int>(); }
  Result<int> on(Refused) { return Error(codes::bad_value, "not this"); }
  void on(Nothing) {}
  Task<int> on(Slow slow, Context& context) {
    co_await context.sleep(slow.time);
    co_return 7;
  }
  int on(Boom) { throw std::runtime_error("boom"); }
  void on(Release) { held_ = {}; }

 private:
  Responder<int> held_;
};

struct Sink {
  using Messages = Handles<int, Error, Seen>;
  void on(int value) { seen.push_back(value); }
  void on(const Error&) { seen.push_back(-1); }
  Numbers on(Seen) const { return seen; }
  Numbers seen;
};

/// What `request` brought, when it brought it.
template <class R, class M>
Result<R> requested(TestSystem& system, const Address& to, M message, Duration timeout) {
  std::optional<Result<R>> got;
  const auto player = system.spawn<Player>().value();
  auto sent = system.send(player, Play{[&got, to, message, timeout](Context& context) -> Task<void> {
                            M copy = message;
                            got = co_await context.request<R>(to, std::move(copy), timeout);
                          }});
  if (!sent) return sent.error();
  system.run_until_idle();
  if (!got) system.advance(timeout);
  system.stop(player);
  system.run_until_idle();
  return got ? std::move(*got) : Result<R>(Error(codes::no_reply, "the handler still waits"));
}

}  // namespace

TEST_CASE("a request is answered with what the handler returns, errors too") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  REQUIRE(requested<int>(system, server, Twice{21}, 1s).value() == 42);
  REQUIRE(requested<int>(system, server, Refused{}, 1s).error().message == "not this");
  REQUIRE(requested<Done>(system, server, Nothing{}, 1s));
  REQUIRE(requested<int>(system, server, Slow{500ms}, 1s).value() == 7);
  REQUIRE(answer_of(system, server, Twice{4}).value() == 8);
}

TEST_CASE("a reply that is there before the requester awaits it is not lost, a hundred thousand times") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  const auto player = system.spawn<Player>().value();
  int right = 0;
  constexpr int kTimes = 100'000;
  REQUIRE(system.send(player, Play{[&right, server](Context& context) -> Task<void> {
                        for (int i = 0; i < kTimes; ++i) {
                          auto first = context.request(server, Twice{i}, 1s);
                          auto second = context.request(server, Twice{i + 1}, 1s);
                          auto later = co_await second;
                          auto early = co_await first;  // came while the second was awaited
                          if (early && later && *early == 2 * i && *later == 2 * i + 2) ++right;
                        }
                      }}));
  system.run_until_idle();
  REQUIRE(right == kTimes);
}

TEST_CASE("replies are not lost where requester and server run on different threads") {
  System system(parallel({2, {}}));
  const auto server = system.spawn<Server>().value();
  std::atomic<int> right{0};
  constexpr int kTimes = 20'000;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[&right, server](Context& context) -> Task<void> {
                        for (int i = 0; i < kTimes; ++i) {
                          auto asking = context.request(server, Twice{i}, 30s);
                          auto answer = co_await asking;
                          if (answer && *answer == 2 * i) ++right;
                        }
                      }}));
  REQUIRE(eventually([&] { return right == kTimes; }));
}

TEST_CASE("nobody answers within 10 ms: no_reply, neither sooner nor later") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  const auto player = system.spawn<Player>().value();
  std::optional<Result<int>> got;
  REQUIRE(system.send(player, Play{[&got, server](Context& context) -> Task<void> {
                        auto asking = context.request(server, Ignored{}, 10ms);
                        got = co_await asking;
                      }}));
  system.advance(10ms - 1ns);
  REQUIRE_FALSE(got);
  system.advance(1ns);
  REQUIRE(got->error().is(codes::no_reply));
  REQUIRE(got->error().kind == ErrorKind::timeout);
}

TEST_CASE("a plain thread that asks waits no longer than it says") {
  System system(parallel({1, {}}));
  const auto server = system.spawn<Server>().value();
  REQUIRE(system.ask(server, Ignored{}).wait(10ms).error().is(codes::no_reply));
  REQUIRE(system.ask(server, Twice{3}).wait(30s).value() == 6);
}

TEST_CASE("a reply after the time limit is counted and dropped") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  REQUIRE(requested<int>(system, server, Ignored{}, 10ms).error().is(codes::no_reply));
  const auto waiting = system.spawn<Player>().value();
  REQUIRE(system.send(waiting, Play{[server](Context& context) -> Task<void> {
                        auto asking = context.request(server, Slow{20ms}, 10ms);
                        (void)co_await asking;
                      }}));
  system.advance(1s);
  REQUIRE(dropped(system, Drop::late) == 1);
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("a request to nobody, to the dead, and to who does not handle it is answered at once") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  const auto keeper = system.spawn<Keeper>().value();
  REQUIRE(requested<int>(system, Address(), Twice{1}, 1h).error().is(codes::no_such_actor));
  REQUIRE(requested<int>(system, keeper, Twice{1}, 1h).error().is(codes::not_handled));
  system.stop(server);
  system.run_until_idle();
  const auto gone = requested<int>(system, server, Twice{1}, 1h);
  REQUIRE(gone.error().is(codes::actor_closed));
  REQUIRE(gone.error().kind == ErrorKind::not_found);
  REQUIRE(told(system, system.ask<int>(Address(), Twice{1})).error().is(codes::no_such_actor));
}

TEST_CASE("a request whose target stops, fails or is removed is answered at once") {
  TestSystem system;
  const auto how = GENERATE(0, 1, 2, 3);
  CAPTURE(how);
  const auto server = system.start<Server>({}, {}).value();
  system.run_until_idle();
  auto in_hand = system.ask(server, Slow{1h});
  auto waiting = system.ask(server, Twice{1});
  auto held = system.ask(server, Ignored{});
  system.run_until_idle();
  REQUIRE_FALSE(in_hand.ready());
  REQUIRE_FALSE(waiting.ready());
  if (how <= 1) system.stop(server);
  if (how == 2) REQUIRE(system.send(server, Boom{}, {Priority::critical}));
  if (how == 3) (void)system.shutdown(1s);
  system.run_until_idle();
  if (how == 2) {
    REQUIRE_FALSE(in_hand.ready());  // its handler still waits: the failure comes after it
    system.stop(server);
    system.run_until_idle();
  }
  REQUIRE(in_hand.wait().error().is(codes::actor_failed));
  REQUIRE(waiting.wait().error().is(codes::actor_closed));
  REQUIRE(held.wait().error().is(codes::actor_closed));
}

TEST_CASE("a handler that throws answers its request with a failure, not with what it threw") {
  TestSystem system;
  const auto server = system.start<Server>({}, {}).value();
  auto answer = told(system, system.ask(server, Boom{}));
  REQUIRE(answer.error().is(codes::actor_failed));
  REQUIRE_THAT(answer.error().message, !Catch::Matchers::Contains("boom"));
}

TEST_CASE("an answer given later, given up, and given twice") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  auto given_up = system.ask(server, Ignored{});
  system.run_until_idle();
  REQUIRE_FALSE(given_up.ready());
  REQUIRE(system.send(server, Release{}));
  system.run_until_idle();
  REQUIRE(given_up.wait().error().is(codes::actor_failed));

  Responder<int> kept;
  const auto actor = system.spawn<Actor>().value();
  auto later = system.ask<int>(actor, Act{[&kept](Context& context) { kept = context.reply_later<int>(); }});
  system.run_until_idle();
  REQUIRE(kept);
  kept(5);
  REQUIRE_FALSE(kept);
  kept(6);
  kept.fail(Error(codes::actor_failed, "no"));
  REQUIRE(later.wait().value() == 5);
}

TEST_CASE("an answer of another type than the asker said is an error that names both") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  const auto wrong = told(system, system.ask<std::string>(server, Twice{1}));
  REQUIRE(wrong.error().is(codes::not_handled));
  REQUIRE_THAT(wrong.error().message, Catch::Matchers::Contains("int"));
  REQUIRE(requested<std::string>(system, server, Twice{1}, 1s).error().is(codes::not_handled));
}

TEST_CASE("reply_to gets what the handler returns, as a message; of nothing it gets nothing") {
  TestSystem system;
  const auto sink = system.spawn<Sink>().value();
  const auto server = system.spawn<Server>().value();
  SendOptions options;
  options.reply_to = sink;
  REQUIRE(system.send(server, Twice{4}, options));
  system.run_until_idle();
  REQUIRE(system.send(server, Refused{}, options));
  system.run_until_idle();
  REQUIRE(system.send(server, Nothing{}, options));
  system.run_until_idle();
  REQUIRE(seen(system, sink) == Numbers{8, -1});
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("another thread answers: by a responder to a request, and to a promise") {
  System system(parallel({2, {}}));
  const auto actor = system.spawn<Actor>().value();
  std::vector<std::thread> threads;
  Gate ready;
  auto answer = system.ask<int>(actor, Act{[&](Context& context) {
                                  threads.emplace_back([give = context.reply_later<int>()]() mutable { give(3); });
                                  ready.open();
                                }});
  REQUIRE(answer.wait(30s).value() == 3);
  REQUIRE(ready.wait());
  for (auto& thread : threads) thread.join();

  std::atomic<int> sum{0};
  const auto player = system.spawn<Player>().value();
  constexpr int kTimes = 200;
  REQUIRE(system.send(player, Play{[&sum](Context& context) -> Task<void> {
                        for (int i = 0; i < kTimes; ++i) {
                          Responder<int> give;
                          auto wait = context.promise<int>(give, 30s);
                          std::thread other([given = std::move(give), i]() mutable { given(i); });
                          auto brought = co_await wait;
                          other.join();
                          if (brought) sum += *brought;
                        }
                        ++sum;
                      }}));
  REQUIRE(eventually([&] { return sum == kTimes * (kTimes - 1) / 2 + 1; }));
}

TEST_CASE("a promise that nobody keeps ends with its time, one that is dropped at once") {
  TestSystem system;
  const auto player = system.spawn<Player>().value();
  std::vector<std::string> codes_seen;
  REQUIRE(system.send(player, Play{[&codes_seen](Context& context) -> Task<void> {
                        Responder<int> give;
                        auto kept_open = context.promise<int>(give, 10ms);
                        auto late = co_await kept_open;
                        codes_seen.push_back(std::string(late.error().code));
                        Responder<int> dropped_one;
                        auto wait = context.promise<int>(dropped_one, 1h);
                        dropped_one = {};
                        auto broken = co_await wait;
                        codes_seen.push_back(std::string(broken.error().code));
                      }}));
  system.advance(10ms);
  REQUIRE(codes_seen == Lines{std::string(codes::no_reply.id), std::string(codes::actor_failed.id)});
}

TEST_CASE("an asker that goes away leaves nothing behind") {
  TestSystem system;
  const auto server = system.spawn<Server>().value();
  { auto forgotten = system.ask(server, Slow{1s}); }
  { auto unread = system.ask(server, Twice{1}); }
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[server](Context& context) -> Task<void> {
                        auto asking = context.request(server, Twice{2}, 1h);
                        (void)co_await asking;
                      }}));
  system.stop(player);
  system.advance(2s);
  REQUIRE_FALSE(system.info(player));
  REQUIRE(dropped(system, Drop::late) <= 1);
}
