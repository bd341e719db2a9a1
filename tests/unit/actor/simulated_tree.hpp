// A tree of supervisors and workers in virtual time: what an actor system does with the answers of a Supervision, with
// messages that take their time, and with a seeded choice of bad luck.
#pragma once
#include <functional>
#include <memory>
#include <queue>
#include <utility>

#include "tests/unit/actor/checked_supervision.hpp"

namespace weft::actor::test {

class SimulatedTree {
 public:
  SimulatedTree(std::uint64_t seed, Seen& seen) : random_(seed), seen_(seen) {}

  /// Starts the root, disturbs the tree for `time`, lets it come to rest, checks it, stops it. Throws what is wrong.
  void run(Duration time) {
    nodes_[root_].options = some_options(true);
    nodes_[root_].supervises = true;
    begin(root_, 0ns);
    const TimePoint end = now_ + time;
    disturb_until(end);
    turn_until(end);
    calm_ = true;
    turn_until(TimePoint::max());
    check_rest();
    stop(root_);
    turn_until(TimePoint::max());
    for (const auto& [id, node] : nodes_) need(node.state == State::down, "lives after its root", id);
  }

 private:
  using Id = Supervision::Child;
  enum class State : std::uint8_t { down, delayed, starting, up, stopping };
  struct Node {
    Id parent = 0;
    bool supervises = false;
    ChildPolicy policy{};
    SupervisorOptions options{};
    int depth = 0;
    State state = State::down;
    std::uint64_t incarnation = 0;
    Reason reason = Reason::shutdown;  ///< of a supervisor that stops
    TimePoint last_down{}, last_up{};  ///< when the latest messages between it and its parent arrive
    std::unique_ptr<CheckedSupervision> supervision{};
  };
  struct Event {
    TimePoint time;
    std::uint64_t number;
    std::function<void()> act;
    bool operator<(const Event& other) const { return std::pair(other.time, other.number) < std::pair(time, number); }
  };

  static void need(bool fine, const std::string& what, Id id) {
    if (!fine) throw std::runtime_error(std::to_string(id) + " " + what);
  }
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  Duration within(Duration most) {
    return Duration(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most.count()) + 1)));
  }
  TimePoint at(TimePoint time, std::function<void()> act) {
    agenda_.push({time, next_event_++, std::move(act)});
    return time;
  }
  /// Later, unless `id` has ended by then.
  void later(Id id, Duration after, std::function<void()> act) {
    at(now_ + after, [this, id, incarnation = nodes_.at(id).incarnation, act = std::move(act)] {
      if (nodes_.count(id) != 0 && nodes_.at(id).incarnation == incarnation) act();
    });
  }
  void turn_until(TimePoint end) {
    for (int turns = 0; !agenda_.empty() && agenda_.top().time <= end; ++turns) {
      need(turns < 200'000, "never comes to rest", root_);
      const auto act = agenda_.top().act;
      now_ = std::max(now_, agenda_.top().time);
      agenda_.pop();
      act();
    }
  }

  SupervisorOptions some_options(bool patient) {
    SupervisorOptions options;
    options.strategy = static_cast<Strategy>(random_.below(3));
    options.child_limit = {static_cast<std::uint32_t>(random_.below(6)), 10ms + within(1s)};
    options.total_limit = {static_cast<std::uint32_t>(random_.below(12)), 10ms + within(1s)};
    if (patient) options.child_limit.restarts = options.total_limit.restarts = chance(80) ? 0 : 5;
    options.backoff.base = within(20ms);
    options.backoff.max = 100ms;
    return options;
  }

  void add_child(Id parent) {
    const Id id = next_id_++;
    Node& node = nodes_[id];
    node.parent = parent;
    node.depth = nodes_.at(parent).depth + 1;
    node.supervises = node.depth < 4 && chance(30);
    node.policy = {static_cast<Restart>(random_.below(3)), chance(20)};
    node.options = some_options(false);
    perform(parent, nodes_.at(parent).supervision->add(id, node.policy));
  }

  void perform(Id id, const Supervision::Actions& actions) {
    using Kind = Supervision::Action::Kind;
    for (const auto& action : actions) {
      const Id child = action.child;
      switch (action.kind) {
        case Kind::start:
          tell(child, [this, child, delay = action.delay] { begin(child, delay); });
          break;
        case Kind::stop:
          tell(child, [this, child] { stop(child); });
          break;
        case Kind::gave_up:
          need(nodes_.at(child).state == State::down, "is given up alive", child);
          break;
        case Kind::removed:
          forget(child);
          break;
        case Kind::fail:
          end(id, chance(10) ? Reason::escalated : Reason::error);
          break;
        case Kind::finished:
          end(id, nodes_.at(id).reason);
          break;
      }
    }
  }
  /// Messages take time, and keep their order.
  void tell(Id child, std::function<void()> act) {
    Node& node = nodes_.at(child);
    node.last_down = at(std::max(node.last_down, now_ + within(2ms)), std::move(act));
  }
  void report(Id child, std::function<Supervision::Actions(CheckedSupervision&)> event) {
    Node& node = nodes_.at(child);
    if (child == root_) return;
    node.last_up = at(std::max(node.last_up, now_ + within(2ms)), [this, child, event = std::move(event)] {
      need(nodes_.count(child) != 0, "reports after it was removed", child);
      const Id parent = nodes_.at(child).parent;
      need(nodes_.at(parent).state != State::down, "reports to a parent that has ended", child);
      perform(parent, event(*nodes_.at(parent).supervision));
    });
  }
  void forget(Id id) {
    need(nodes_.at(id).state == State::down, "is removed alive", id);
    forget_children(id);
    nodes_.erase(id);
  }
  void forget_children(Id id) {
    if (!nodes_.at(id).supervision) return;
    for (const Id child : nodes_.at(id).supervision->children()) forget(child);
    nodes_.at(id).supervision.reset();
  }

  void begin(Id id, Duration delay) {
    Node& node = nodes_.at(id);
    need(node.state == State::down, "has two incarnations", id);
    node.state = State::delayed;
    later(id, delay, [this, id] { launch(id); });
  }
  void launch(Id id) {
    Node& node = nodes_.at(id);
    node.state = State::starting;
    if (node.supervises) {
      forget_children(id);
      node.reason = Reason::shutdown;
      node.supervision = std::make_unique<CheckedSupervision>(node.options, seen_);
      for (auto count = random_.below(5) + (id == root_ ? 3 : 0); count > 0; --count) add_child(id);
    }
    later(id, within(5ms), [this, id] {
      Node& starting = nodes_.at(id);
      if (starting.state != State::starting) return;
      if (!calm_ && id != root_ && chance(5)) return crash(id, Reason::error);
      starting.state = State::up;
      report(id, [id](CheckedSupervision& parent) { return parent.started(id); });
    });
  }
  void stop(Id id) {
    if (nodes_.count(id) == 0) return;  // it ended by itself meanwhile, and is forgotten
    Node& node = nodes_.at(id);
    if (node.state == State::down || node.state == State::stopping) return;
    if (node.state == State::delayed) return end(id, Reason::shutdown);
    if (node.supervises) return crash(id, Reason::shutdown);
    node.state = State::stopping;
    const Reason reason = chance(80) ? Reason::shutdown : some_reason();
    later(id, within(10ms), [this, id, reason] { end(id, reason); });
  }
  Reason some_reason() {
    constexpr std::array reasons{Reason::error, Reason::error, Reason::error, Reason::normal, Reason::killed};
    return chance(2) ? Reason::escalated : reasons[random_.below(reasons.size())];
  }
  /// A supervisor stops its children before it ends.
  void crash(Id id, Reason reason) {
    Node& node = nodes_.at(id);
    if (!node.supervises) return end(id, reason);
    if (node.supervision->over()) return;
    node.state = State::stopping;
    node.reason = reason;
    perform(id, node.supervision->stop_all());
  }
  void end(Id id, Reason reason) {
    Node& node = nodes_.at(id);
    need(node.state != State::down, "ends twice", id);
    if (node.supervision) {
      for (const Id child : node.supervision->children()) {
        need(nodes_.at(child).state == State::down, "lives after its supervisor", child);
      }
    }
    node.state = State::down;
    ++node.incarnation;
    report(id, [this, id, reason](CheckedSupervision& parent) { return parent.ended(id, reason, now_); });
  }

  void disturb_until(TimePoint end) {
    at(now_ + within(8ms), [this, end] {
      if (now_ >= end) return;
      auto victim = nodes_.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random_.below(nodes_.size())));
      disturb(victim->first);
      disturb_until(end);
    });
  }
  void disturb(Id id) {
    Node& node = nodes_.at(id);
    const bool lives = node.state == State::up || node.state == State::starting;
    if (!lives || (node.supervises && !node.supervision)) return;
    if (!node.supervises) return chance(70) ? end(id, some_reason()) : void();
    const auto children = node.supervision->children();
    const Id child = children.empty() ? 0 : children[random_.below(children.size())];
    switch (random_.below(8)) {
      case 0:
        return id == root_ ? void() : crash(id, some_reason());
      case 1:
        return perform(id, node.supervision->remove(child));
      case 2:
        return perform(id, node.supervision->restart(child));
      default:
        if (children.size() < 8) add_child(id);
    }
  }

  /// At rest every child of a live supervisor lives, or has ended for good.
  void check_rest() {
    for (const auto& [id, node] : nodes_) {
      need(node.state == State::up || node.state == State::down, "is still on its way", id);
      if (!node.supervises || node.state == State::down) continue;
      for (const Id child : node.supervision->children()) {
        const bool lives = nodes_.at(child).state == State::up;
        need(lives == node.supervision->up(child), "is not what its supervisor believes", child);
        need(lives || node.supervision->finished(child), "was forgotten", child);
      }
    }
  }

  static constexpr Id root_ = 1;
  Random random_;
  Seen& seen_;
  TimePoint now_{1h};
  std::map<Id, Node> nodes_{};
  Id next_id_ = 2;
  std::priority_queue<Event> agenda_{};
  std::uint64_t next_event_ = 0;
  bool calm_ = false;
};

}  // namespace weft::actor::test
