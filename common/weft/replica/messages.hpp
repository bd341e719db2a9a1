// What an owner tells its replicas: changes by publication, the whole by stream. Values. docs/replicated.md says how
// they fit together. Private to replica.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::replica {

struct Change {
  std::string key;
  Value value;  ///< null where it was erased
  bool erased = false;
  std::uint64_t sequence = 0;  ///< from 1, for each owner
  std::int64_t left_us = 0;    ///< of its time to live; 0: it has no end
  WEFT_FIELDS(Change, key, value, erased, sequence, left_us)
};

/// Published on the topic that is called as the method: what changed, or, without changes, where the owner stands.
struct Changes {
  Ulid owner;                  ///< the instance: new at each start of its process
  std::uint64_t after = 0;     ///< the sequence before the first of these
  std::uint64_t sequence = 0;  ///< that of the last
  std::vector<Change> changes;
  WEFT_FIELDS(Changes, owner, after, sequence, changes)
};

/// A chunk of the stream that answers with all there is, in order of the keys; what changes meanwhile may be in it.
struct SnapshotPart {
  Ulid owner;
  std::vector<Change> entries;
  WEFT_FIELDS(SnapshotPart, owner, entries)
};
/// Its last word: with every change up to `sequence` it is the whole.
struct SnapshotEnd {
  Ulid owner;
  std::uint64_t sequence = 0;
  WEFT_FIELDS(SnapshotEnd, owner, sequence)
};

inline constexpr std::size_t kPartBytes = 64 * 1024;  ///< of a message, but for one value that is larger alone
inline constexpr std::size_t kChangeBytes = 80;       ///< what a change costs beside its key and its value
inline constexpr Duration kBeat = 1s;                 ///< an owner tells at least this often where it stands
inline constexpr Duration kSilence = 3500ms;          ///< one that is not heard for so long may be gone

}  // namespace weft::replica
