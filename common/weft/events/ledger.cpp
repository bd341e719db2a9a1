#include "weft/events/ledger.hpp"

#include <algorithm>
#include <numeric>

namespace weft::events {
namespace {

// A publisher that does not tell where it stands (a client in another language, say) is followed from its next event
// on.
constexpr Duration kHeldMax = 2s;

}  // namespace

std::uint64_t Ledger::Stream::unexplained() const noexcept {
  return sent - received - std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
}

Ledger::Source& Ledger::source(std::uint64_t sender, TimePoint now) {
  auto& held = sources_[sender];
  if (!held) held = std::make_unique<Source>(Source{sender});
  held->heard = now;
  return *held;
}

Ledger::Stream& Ledger::stream(std::uint64_t sender, std::string_view topic, TimePoint now) {
  Source& from = source(sender, now);
  if (const auto found = from.streams.find(topic); found != from.streams.end()) return found->second;
  if (streams_ >= limits_.streams_max) make_room(sender);
  ++streams_;
  Stream& made = from.streams[std::string(topic)];
  made.number = ++last_number_;
  // where all topics of a pattern have been told and this one was not among them, it began later: at 1
  made.fresh = std::none_of(from.told.begin(), from.told.end(),
                            [&](const TopicPattern& pattern) { return pattern.matches(topic); });
  return made;
}

Ledger::Stream* Ledger::find(std::uint64_t sender, std::string_view topic) noexcept {
  const auto from = sources_.find(sender);
  if (from == sources_.end()) return nullptr;
  const auto found = from->second->streams.find(topic);
  return found == from->second->streams.end() ? nullptr : &found->second;
}

void Ledger::make_room(std::uint64_t keep) {
  ++generation_;
  auto oldest = sources_.end();
  for (auto it = sources_.begin(); it != sources_.end(); ++it) {
    if (it->first != keep && (oldest == sources_.end() || it->second->heard < oldest->second->heard)) oldest = it;
  }
  if (oldest != sources_.end()) {
    streams_ -= oldest->second->streams.size();
    sources_.erase(oldest);
    return;
  }
  Source& own = *sources_.at(keep);
  streams_ -= own.streams.size();
  own.streams.clear();
  own.told.clear();
}

Ledger::Taken Ledger::take_slow(Stream& stream, std::uint64_t sender, std::uint64_t sequence, TimePoint now) {
  if (stream.held && now - stream.held_since > kHeldMax) {
    stream.held = false;
    stream.fresh = true;
  }
  if (stream.fresh) {
    stream.fresh = false;
    stream.last = std::max(stream.last, sequence - 1);
  }
  if (sequence <= stream.last) {
    if (found_in_gap(stream, sequence)) {
      settle(stream, sender, {sequence, sequence}, Drop::reordered);
      return {Verdict::late, 0};
    }
    ++stream.repeated;
    return {Verdict::repeated, 0};
  }
  if (!stream.held && sequence > stream.last + 1) lose(stream, sender, {stream.last + 1, sequence - 1});
  stream.last = sequence;
  ++stream.sent;
  ++stream.received;
  return {Verdict::fresh, std::exchange(stream.untold, 0)};
}

void Ledger::lose(Stream& stream, std::uint64_t sender, Range range) {
  stream.sent += range.last - range.first + 1;
  stream.untold += range.last - range.first + 1;
  stream.last = range.last;
  if (stream.gaps.size() >= limits_.gaps_max) {
    settle(stream, sender, stream.gaps.front(), Drop::gap);
    stream.gaps.erase(stream.gaps.begin());
  }
  stream.gaps.push_back(range);
}

bool Ledger::found_in_gap(Stream& stream, std::uint64_t sequence) {
  auto at = std::find_if(stream.gaps.begin(), stream.gaps.end(),
                         [sequence](const Range& range) { return range.first <= sequence && sequence <= range.last; });
  if (at == stream.gaps.end()) return false;
  const Range whole = *at;
  at = stream.gaps.erase(at);
  if (sequence < whole.last) at = stream.gaps.insert(at, {sequence + 1, whole.last});
  if (whole.first < sequence) stream.gaps.insert(at, {whole.first, sequence - 1});
  return true;
}

void Ledger::settle(Stream& stream, std::uint64_t sender, const Range& range, Drop reason) {
  const std::uint64_t count = range.last - range.first + 1;
  stream.dropped[static_cast<std::size_t>(reason)] += count;
  on_drop_(sender, reason, count);
}

void Ledger::heartbeat(Stream& stream, std::uint64_t sender, std::uint64_t sequence,
                       const std::vector<std::uint64_t>& marks) {
  if (stream.held) return;
  if (std::exchange(stream.fresh, false)) stream.last = std::max(stream.last, sequence);
  if (sequence > stream.last) lose(stream, sender, {stream.last + 1, sequence});
  // a full queue takes nothing until half of it is empty: a loss that began there is one loss
  std::erase_if(stream.gaps, [&](const Range& range) {
    if (range.last > sequence) return false;
    const bool full = std::find(marks.begin(), marks.end(), range.first) != marks.end();
    settle(stream, sender, range, full ? Drop::hwm : Drop::gap);
    return true;
  });
}

void Ledger::stands_at(Stream& stream, std::uint64_t sender, std::uint64_t sequence,
                       const std::vector<std::uint64_t>& marks) {
  if (std::exchange(stream.held, false)) stream.fresh = true;  // what came between was not subscribed to
  heartbeat(stream, sender, sequence, marks);
}

void Ledger::told(std::uint64_t sender, const TopicPattern& pattern, TimePoint now) {
  Source& from = source(sender, now);
  const bool known = std::any_of(from.told.begin(), from.told.end(),
                                 [&](const TopicPattern& one) { return one.text() == pattern.text(); });
  if (!known) from.told.push_back(pattern);
}

void Ledger::closed(const TopicPattern& pattern, const std::function<bool(std::string_view topic)>& covered,
                    TimePoint now) {
  for (auto& [sender, from] : sources_) {
    std::erase_if(from->told, [&](const TopicPattern& one) { return one.text() == pattern.text(); });
    for (auto& [topic, stream] : from->streams) {
      if (stream.held || covered(topic)) continue;
      stream.held = true;
      stream.held_since = now;
    }
  }
}

void Ledger::drop(Stream& stream, std::uint64_t sender, Drop reason) {
  if (stream.received == 0) return;
  --stream.received;
  settle(stream, sender, {1, 1}, reason);
}

std::uint64_t Ledger::unexplained() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [sender, from] : sources_) {
    for (const auto& [topic, stream] : from->streams) sum += stream.unexplained();
  }
  return sum;
}

}  // namespace weft::events
