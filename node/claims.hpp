// Claims: numbers the starts that this host's node makes, so that of two claims to a slot the later one is known
// without a look at wall time.
#pragma once
#include <cstdint>
#include <string>

#include "node/process.hpp"
#include "weft/base/base.hpp"

namespace weft::node {

/// A claim is the term of the node, and a count of the starts in that term (24 bits). The term grows with each start of
/// the node and is kept in a file of the state folder; without that file it is the time of day in seconds. Hold the
/// node's lock. Loop-bound.
class Claims {
 public:
  /// Begins a term, and writes it to the disk. A file that cannot be read counts as missing. Errors: `io_failed`,
  /// `disk_full`.
  static Result<Claims> begin(const std::string& file, WallTime now);
  /// Higher than every claim before, also of former nodes of this state folder.
  std::uint64_t next() noexcept { return ++last_; }

  static constexpr std::uint64_t kTermMax = 0xf000'0000;  ///< higher ones in the file are damage

 private:
  explicit Claims(std::uint64_t term) : last_(term << 24) {}
  std::uint64_t last_;
};

/// Gives each process that it starts its claim: WEFT_CLAIM. Borrows both.
class ClaimingLauncher final : public Launcher {
 public:
  ClaimingLauncher(Launcher& launcher, Claims& claims) : launcher_(launcher), claims_(claims) {}
  Result<std::unique_ptr<Process>> launch(const Command& command, OnExit on_exit) override;
  Result<std::unique_ptr<Process>> adopt(ProcessId id, OnExit on_exit) override {
    return launcher_.adopt(id, std::move(on_exit));
  }

 private:
  Launcher& launcher_;
  Claims& claims_;
};

}  // namespace weft::node
