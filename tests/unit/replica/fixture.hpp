// An owner and its replicas without a mesh: what travels is handed over by the test, or lost.
#pragma once
#include "tests/support/catch.hpp"
#include "weft/replica/owner_table.hpp"
#include "weft/replica/replica_table.hpp"

namespace weft::test {

using namespace weft::replica;

inline Value encode_int(const void* value) { return Value(*static_cast<const std::int64_t*>(value)); }
inline Held decode_int(const Value& value) {
  return value.type() == Value::Type::integer ? std::make_shared<const std::int64_t>(value.as_int()) : nullptr;
}
inline Held held(std::int64_t value) { return std::make_shared<const std::int64_t>(value); }

using Contents = std::map<std::string, std::int64_t>;
inline Contents contents(const Table& table) {
  Contents out;
  for (const auto& [key, entry] : table.entries()) out[key] = *static_cast<const std::int64_t*>(entry.value.get());
  return out;
}

struct Copy {
  explicit Copy(std::size_t entries_max = 1000)
      : table(entries_max, decode_int, [this](const std::string& key, const void* value) {
          told.push_back(key + (value ? "=" + std::to_string(*static_cast<const std::int64_t*>(value)) : " gone"));
        }) {}
  std::vector<std::string> told;
  ReplicaTable table;
};

struct Fixture {
  ManualClock clock;
  Random random{7};
  Ulid owner_id = Ulid::make(clock.wall(), random);
  OwnerTable owner{"shop.prices", owner_id, ReplicatedLimits(), encode_int};

  TimePoint now() const { return clock.now(); }
  void set(const std::string& key, std::int64_t value, Duration time_to_live = {}) {
    REQUIRE(owner.set(key, held(value), time_to_live, now()));
  }
  /// The owner's process ends, and another one begins.
  void restart() {
    clock.advance(10ms);
    owner_id = Ulid::make(clock.wall(), random);
    owner = OwnerTable("shop.prices", owner_id, ReplicatedLimits(), encode_int);
  }
  std::vector<Changes> told() {
    std::vector<Changes> out;
    do out.push_back(owner.take_untold());
    while (owner.untold() > 0);
    return out;
  }
  void tell(Copy& copy) {
    for (const auto& message : told()) copy.table.hear(message, now());
  }
  Result<void> snapshot(Copy& copy) {
    const auto attempt = copy.table.begin();
    std::string last;
    for (;;) {
      const auto part = owner.part_after(last, now());
      if (part.entries.empty()) break;
      last = part.entries.back().key;
      if (auto taken = copy.table.take(attempt, part, now()); !taken) return taken;
    }
    return copy.table.finish(attempt, owner.end(), now());
  }
};

}  // namespace weft::test
