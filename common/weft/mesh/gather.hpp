// Gather: one call to many instances, and who did not answer. A value, and how its parts are collected.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "weft/wire/payload.hpp"

namespace weft::mesh {

using wire::Payload;

/// What ends a gathering before everybody has answered or failed. Who had not answered by then is missing, and told to
/// stop.
struct GatherOptions {
  std::size_t count = 0;               ///< as many answers are enough; 0: all are wanted
  Duration stall{};                    ///< nobody has answered for this long; zero: only the deadline counts
  std::vector<std::string> instances;  ///< ids; empty: every live one
};

struct Gathered {
  struct Answer {
    std::string instance;  ///< id
    std::string slot, host;
    Result<Payload> outcome = Error();
    Duration took{};
  };
  std::vector<Answer> answers;  ///< one for each that was asked, in the order of ids

  std::size_t answered() const noexcept;
  std::vector<const Answer*> missing() const;
  /// "5 of 5", "4 of 5, missing: echo@beta (01J…): DEADLINE_EXCEEDED".
  std::string summary() const;
};

/// Asks each of `wanted` (their outcomes are not yet known) by `ask`, at once.
Task<Gathered> gather(Loop& loop, std::vector<Gathered::Answer> wanted, GatherOptions options,
                      std::function<Task<Result<Payload>>(const std::string& instance)> ask);

}  // namespace weft::mesh
