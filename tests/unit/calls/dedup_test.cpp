#include "weft/calls/dedup.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::calls;
using Found = DedupWindow::Found;

namespace {

struct Fixture {
  Policy::Idempotency rules;
  DedupWindow window{rules};
  TimePoint now{1h};
  TaskScope tasks;
  std::vector<std::string> answers;

  Found look(std::string_view key, std::string_view payload = "p") {
    return window.look(key, Payload::raw(payload), now).found;
  }
  std::string stored(std::string_view key, std::string_view payload = "p") {
    const auto look = window.look(key, Payload::raw(payload), now);
    if (!look.outcome) return "nothing";
    return *look.outcome ? std::string((*look.outcome)->text()) : (*look.outcome).error().name;
  }
  void finish(std::string_view key, std::string_view answer = "a") { window.finish(key, Payload::raw(answer), now); }
  void fail(std::string_view key, const Code& code) { window.finish(key, Error(code, "x"), now); }
  void run(std::string_view key) {
    REQUIRE(look(key) == Found::fresh);
    finish(key);
  }
  void wait(std::string_view key) {
    Completion<Result<Payload>> completion;
    window.wait(key, completion.completer());
    tasks.spawn(hear(std::move(completion)));
  }
  Task<void> hear(Completion<Result<Payload>> completion) {
    const auto outcome = co_await completion;
    answers.push_back(outcome ? std::string(outcome->text()) : outcome.error().name);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "ten resends have one effect, and all get its answer") {
  int effects = 0;
  for (int i = 0; i < 5; ++i) {
    if (look("k") == Found::fresh) {
      ++effects;
    } else {
      CHECK(look("k") == Found::running);
      wait("k");
    }
  }
  finish("k", "done");
  for (int i = 0; i < 5; ++i) CHECK(stored("k") == "done");
  CHECK(effects == 1);
  CHECK(answers == std::vector<std::string>(4, "done"));
}

TEST_CASE_METHOD(Fixture, "other keys are other calls") {
  run("a");
  CHECK(look("b") == Found::fresh);
}

TEST_CASE_METHOD(Fixture, "a result is kept for its window, from its end, and not longer") {
  REQUIRE(look("k") == Found::fresh);
  now += 10min;  // it takes long
  CHECK(look("k") == Found::running);
  finish("k");
  now += rules.window - 1ns;
  CHECK(look("k") == Found::done);
  now += 1ns;
  CHECK(look("k") == Found::fresh);
  CHECK(window.forgotten_early() == 0);
}

TEST_CASE_METHOD(Fixture, "a failure that may have had an effect is kept, one that certainly had none is not") {
  for (const auto& code :
       {codes::handler_failed, codes::deadline_exceeded, codes::call_cancelled, codes::bad_payload}) {
    REQUIRE(look(code.name) == Found::fresh);
    fail(code.name, code);
    CHECK(stored(code.name) == code.name);
  }
  for (const auto& code : {codes::queue_full, codes::no_responders}) {
    REQUIRE(look("again") == Found::fresh);
    wait("again");
    fail("again", code);
    CHECK(answers.back() == code.name);
  }
  CHECK(look("again") == Found::fresh);
}

TEST_CASE_METHOD(Fixture, "a key that comes with another payload is told, not answered") {
  run("k");
  CHECK(look("k", "other") == Found::mismatch);
  CHECK(look("k") == Found::done);
}

TEST_CASE_METHOD(Fixture, "the oldest results go when there are too many, and are counted") {
  rules.max_keys = 3;
  window = DedupWindow(rules);
  for (const char* key : {"a", "b", "c", "d"}) run(key);
  CHECK(window.size() == 3);
  CHECK(window.forgotten_early() == 1);
  CHECK(stored("b") == "a");
  CHECK(look("a") == Found::fresh);
}

TEST_CASE_METHOD(Fixture, "the oldest results go when they are too large, but for the newest") {
  rules.max_bytes = 10'000;
  window = DedupWindow(rules);
  for (int i = 0; i < 10; ++i) {
    const auto key = std::to_string(i);
    REQUIRE(look(key) == Found::fresh);
    finish(key, std::string(4000, 'x'));
    CHECK(window.bytes() <= 10'000);
  }
  CHECK(window.size() == 2);
  REQUIRE(look("huge") == Found::fresh);
  finish("huge", std::string(50'000, 'x'));
  CHECK(window.size() == 1);
  CHECK(look("huge") == Found::done);
}

TEST_CASE_METHOD(Fixture, "calls that run are never forgotten; more than fit are refused") {
  rules.max_keys = 2;
  window = DedupWindow(rules);
  CHECK(look("a") == Found::fresh);
  CHECK(look("b") == Found::fresh);
  CHECK(look("c") == Found::full);
  finish("a");
  CHECK(look("c") == Found::fresh);
  CHECK(look("b") == Found::running);
}

TEST_CASE_METHOD(Fixture, "one that went away while it waited is passed over") {
  REQUIRE(look("k") == Found::fresh);
  {
    Completion<Result<Payload>> gone;
    window.wait("k", gone.completer());
  }
  wait("k");
  finish("k");
  CHECK(answers == std::vector<std::string>{"a"});
}
