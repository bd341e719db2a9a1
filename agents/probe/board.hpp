// Board: the actor that knows the status of every target, so that `targets` is one request, and one who tells the
// world.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/probe/finding.hpp"
#include "agents/probe/target.hpp"
#include "weft/actor/actor.hpp"

namespace weft::probe {

using Targets = std::shared_ptr<const std::vector<Target>>;

class Board {
 public:
  /// What came out of one check.
  struct Seen {
    std::uint32_t target = 0;  ///< index
    State state = State::unknown;
    bool good = false;
    std::string error;  ///< why not good
    Duration took{};
  };
  struct List {};
  using Messages = actor::Handles<Seen, List>;
  /// Told of each check, in the board's turns. The change is between states that were known: an actor that was
  /// restarted starts with `unknown`, which makes a target neither go nor come back.
  using Tell = std::function<void(std::uint32_t target, const Finding&, const std::optional<Change>&)>;

  Board(Targets targets, std::string host, Tell tell);
  Finding on(const Seen& seen, actor::Context& context);
  std::vector<TargetStatus> on(List) const;

 private:
  struct Entry {
    TargetStatus status;
    State known = State::unknown;  ///< the last one that was up or down
  };
  Targets targets_;
  std::string host_;
  Tell tell_;
  std::vector<Entry> entries_;
};

}  // namespace weft::probe
