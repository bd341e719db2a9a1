// For tests of actors, ours and users': one thread, seeded order, time that moves by hand. <weft/actor_test.hpp>
// includes it.
#pragma once
#include <functional>
#include <queue>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/actor/actor.hpp"

namespace weft::actor {

/// An expectation of a test did not hold; test frameworks show its text.
class Unexpected : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

class Deterministic;

/// A system whose test owns the order and the clock: nothing runs until the test says so. The same seed and the same
/// calls give the same interleaving. One thread only.
class TestSystem : public System {
 public:
  /// One message that was handled.
  struct Step {
    std::uint64_t actor;
    std::string_view message;
    friend bool operator==(const Step&, const Step&) = default;
  };

  explicit TestSystem(std::uint64_t seed = 0, SystemOptions options = {}, Monitor* monitor = nullptr);

  /// Lets one actor, picked by the seed, handle one message. False if no actor has anything to do now.
  bool step();
  /// Steps until no actor has anything to do; returns the number of steps. Throws Unexpected after `limit` steps.
  std::size_t run_until_idle(std::size_t limit = 1'000'000);
  /// Moves the time, stopping at each timer on the way; runs until idle before, at each, and after.
  void advance(Duration by);

  /// `system.answer(system.ask(counter, Get{}))`: runs until idle. Throws Unexpected when there is no answer then:
  /// what wait() would wait for does not come by itself here.
  template <class R>
  Result<R> answer(Pending<R> asked) {
    run_until_idle();
    if (!asked.ready()) throw Unexpected("there is no answer, and nobody has anything to do");
    return asked.wait();
  }

  /// The next message of `to` is an M for which `holds` is true: handles it. Throws Unexpected when it is not.
  template <class M>
  void expect(const Address& to, const std::function<bool(const M&)>& holds = {}) {
    if (const std::string wrong = why_not<M>(to, holds); !wrong.empty()) throw Unexpected(wrong);
    handle_next(to);
  }
  /// The same, with the sender.
  template <class M>
  void expect_from(const Address& from, const Address& to, const std::function<bool(const M&)>& holds = {}) {
    check_sender(from, to);
    expect<M>(to, holds);
  }
  /// Handles the next message of `to` if it is such an M. False, and nothing is done, when it is not.
  template <class M>
  bool allow(const Address& to, const std::function<bool(const M&)>& holds = {}) {
    if (!why_not<M>(to, holds).empty()) return false;
    handle_next(to);
    return true;
  }
  /// Throws Unexpected when the next message of `to` is such an M.
  template <class M>
  void disallow(const Address& to, const std::function<bool(const M&)>& holds = {}) {
    if (why_not<M>(to, holds).empty())
      throw Unexpected(describe(to) + " has a " + std::string(message_type<M>.name) + ", which was not to come");
  }

  TimePoint now() const noexcept { return clock().now(); }
  /// All messages handled so far, in order.
  const std::vector<Step>& steps() const noexcept;

 private:
  TestSystem(std::unique_ptr<Deterministic> scheduler, SystemOptions options, Monitor* monitor);
  Envelope* next_of(const Address& to);
  void handle_next(const Address& to);
  void check_sender(const Address& from, const Address& to);
  std::string describe(const Address& actor) const;
  template <class M>
  std::string why_not(const Address& to, const std::function<bool(const M&)>& holds) {
    const std::string wanted = describe(to) + " was to get a " + std::string(message_type<M>.name);
    Envelope* next = next_of(to);
    if (!next) return wanted + ", but nothing waits for it";
    if (next->type != &message_type<M>) return wanted + ", but next is a " + std::string(next->type->name);
    if (holds && !holds(next->as<M>())) return wanted + ", and did, but not with the expected content";
    return {};
  }

  Deterministic& scheduler_;
};

}  // namespace weft::actor
