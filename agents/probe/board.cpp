// Statuses, and what changed.
#include "agents/probe/board.hpp"

namespace weft::probe {

Board::Board(Targets targets, std::string host, Tell tell)
    : targets_(std::move(targets)), host_(std::move(host)), tell_(std::move(tell)), entries_(targets_->size()) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].status.target = (*targets_)[i].name;
    entries_[i].status.address = (*targets_)[i].address;
  }
}

Finding Board::on(const Seen& seen, actor::Context& context) {
  Entry& entry = entries_.at(seen.target);
  TargetStatus& status = entry.status;
  status.latency_ms = to_seconds(seen.took) * 1000;
  status.checked_us = to_us(context.system().clock().wall());
  ++status.checks;
  if (!seen.good) {
    ++status.failures;
    status.last_error = seen.error;
  }
  if (std::exchange(status.state, seen.state) != seen.state) status.since_us = status.checked_us;
  std::optional<Change> change;
  if (seen.state != State::unknown && seen.state != entry.known)
    change = Change{std::exchange(entry.known, seen.state), seen.state};
  Finding finding{host_,     status.target,     status.address, status.state,
                  seen.good, status.latency_ms, seen.error,     status.checked_us};
  tell_(seen.target, finding, change);
  return finding;
}

std::vector<TargetStatus> Board::on(List) const {
  std::vector<TargetStatus> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.status);
  return all;
}

}  // namespace weft::probe
