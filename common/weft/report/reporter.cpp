#include "weft/report/reporter.hpp"

#include <deque>

#include "weft/base/lifetime.hpp"
#include "weft/observe/shared_metrics.hpp"
#include "weft/report/courier.hpp"
#include "weft/report/folds.hpp"
#include "weft/report/spool.hpp"

namespace weft::report {
namespace {

constexpr Duration kRetryMax = 2s;
constexpr Duration kSpillAfter = 1s;  ///< so long without the bus, and events go to the file too
constexpr std::size_t kSlice = 256;   ///< events moved to or from the file in one turn
constexpr std::size_t kBatchBytes = 1024 * 1024;

/// How many events it stands for.
std::uint64_t weight(const ErrorEvent& event) { return 1 + event.repeated; }

}  // namespace

/// The ring holds the oldest events that wait, the file those after them, and of what has no room in either the number
/// is kept. The ring's first `in_file` are in the file too, so
/// that the end of the process does not lose them; while the file has more than the ring, all of the ring is in it.
struct ErrorReporter::Impl final : Courier::Source {
  Impl(Loop& loop, Options options, Send send, observe::Metrics& metrics, observe::Log& log)
      : loop_(loop),
        options_(std::move(options)),
        metrics_(metrics),
        log_(log),
        reported_(metrics.counter("weft_errors_reported_total", "Errors that this process reported.")),
        unacknowledged_(metrics.gauge("weft_errors_unacknowledged", "Errors that the bus has not acknowledged yet.")),
        spool_(options_.spool_file, options_.spool_bytes_max),
        flush_(loop),
        spill_(loop),
        courier_(loop, *this, {options_.batch_max, options_.retry, kRetryMax, {}}, std::move(send)) {
    for (const char* reason : {"folds_full", "refused", "damaged", "closed"}) dropped(reason, 0);
    for (const char* reason : {"ring_full", "spool_full", "spool_failed"}) folded(reason, 0);
    metrics.on_collect(lifetime_.guard([this] { collect(); }));
  }

  void dropped(const char* reason, std::uint64_t events) {
    metrics_.counter("weft_errors_dropped_total", "Errors that never reached the bus, by reason.", {{"reason", reason}})
        .add(events);
    if (events == 0) return;
    log_.error("error events were dropped", {{"reason", reason}, {"events", events}});
  }

  void folded(const char* reason, std::uint64_t events) {
    metrics_
        .counter("weft_errors_folded_total", "Errors of which only the number was kept and reported, by reason.",
                 {{"reason", reason}})
        .add(events);
  }

  void collect() {
    const auto oldest = ring_.empty() ? 0 : ring_.front().time_us;
    const double age = oldest == 0 ? 0.0 : static_cast<double>(to_us(loop_.clock().wall()) - oldest) / 1e6;
    observe::show_error_spool(metrics_, static_cast<double>(spool_.bytes()), age);
  }

  // ---- taking

  void take(ErrorEvent event) {
    reported_.add();
    if (event.time_us == 0) event.time_us = to_us(loop_.clock().wall());
    if (event.id.is_nil()) event.id = Ulid::make(loop_.clock().wall(), random_);
    if (event.epoch == 0 && is_own(event)) event.epoch = epoch_;
    if (spool_.unread() == 0 && ring_.size() < options_.ring_max) {
      ring_.push_back(std::move(event));
    } else {
      overflow(std::move(event));
    }
    unacknowledged_.set(static_cast<double>(waiting()));
    if (spilling_ && !spill_.running()) spill_later();
    if (courier_.idle() && !flush_.running()) flush_.start(Duration::zero(), [this] { courier_.wake(); });
  }

  /// The ring is full: the file takes it, behind all of the ring, or its number is kept.
  void overflow(ErrorEvent event) {
    if (!open_spool()) return fold(std::move(event), options_.spool_file.empty() ? "ring_full" : "spool_failed");
    while (in_file_ < ring_.size()) {
      if (!keep(ring_[in_file_], true)) return fold(std::move(event), why_not_kept_);
      ++in_file_;
    }
    if (!keep(event, false)) fold(std::move(event), why_not_kept_);
  }

  void fold(ErrorEvent event, const char* reason) {
    fill(event);
    const auto events = weight(event);
    if (folds_.events() == 0) log_.warn("error events are only counted until there is room", {{"reason", reason}});
    if (!folds_.add(std::move(event))) return dropped("folds_full", events);
    folded(reason, events);
  }

  /// Samples follow when all that was kept whole has room.
  void unfold() {
    while (folds_.events() > 0 && spool_.unread() == 0 && ring_.size() < options_.ring_max)
      ring_.push_back(*folds_.take());
  }

  bool is_own(const ErrorEvent& event) const { return event.agent.empty() || event.agent == options_.agent; }

  /// One in the name of another agent has no more of this process than the host.
  void fill(ErrorEvent& event) const {
    if (event.host.empty()) event.host = options_.host;
    if (!is_own(event)) return;
    event.agent = options_.agent;
    if (event.version.empty()) event.version = options_.version;
    if (event.config_hash.empty()) event.config_hash = options_.config_hash;
    if (event.instance.is_nil()) event.instance = options_.instance;
  }

  // ---- the file

  bool open_spool() {
    if (options_.spool_file.empty()) return false;
    if (spool_.is_open()) return true;
    if (loop_.now() < open_again_) return false;
    auto opened = spool_.open();
    note_damage();
    if (!opened) {
      open_again_ = loop_.now() + kSpillAfter;
      log_.warn("the error spool cannot be used", {{"error", opened.error().describe()}});
    }
    return opened.has_value();
  }

  void note_damage() {
    if (const auto frames = spool_.take_damaged(); frames > 0) dropped("damaged", frames);
  }

  bool keep(ErrorEvent& event, bool held) {
    fill(event);
    auto kept = spool_.append(event, held);
    if (kept) return true;
    why_not_kept_ = kept.error().is(codes::too_large) ? "spool_full" : "spool_failed";
    log_.warn("an error event cannot be written to the spool", {{"error", kept.error().describe()}});
    return false;
  }

  /// Copies the ring to the file, some each turn; in memory they stay.
  void spill_later() {
    spill_.start(Duration::zero(), [this] {
      if (!spilling_ || !open_spool()) return;
      for (std::size_t i = 0; i < kSlice && in_file_ < ring_.size(); ++i, ++in_file_) {
        if (!keep(ring_[in_file_], true)) return;
      }
      if (in_file_ < ring_.size()) spill_later();
    });
  }

  void refill() {
    for (std::size_t i = 0; i < 4 * kSlice && ring_.size() < options_.ring_max && spool_.unread() > 0; ++i) {
      auto event = spool_.read();
      if (!event) break;
      ring_.push_back(std::move(*event));
      ++in_file_;
    }
    note_damage();
  }

  // ---- sending

  Result<std::vector<ErrorEvent>> next(std::size_t events_max) override {
    std::vector<ErrorEvent> events;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < ring_.size() && i < events_max && bytes < kBatchBytes; ++i) {
      fill(ring_[i]);
      bytes += size_of(ring_[i]);
      events.push_back(ring_[i]);
    }
    return events;
  }

  void delivered(std::size_t events) override {
    if (failing_since_) log_.info("the error bus takes events again", {{"waiting", waiting()}});
    failing_since_.reset();
    spilling_ = false;
    done(events);
  }

  void rejected(const Error& error) override {
    log_.error("the error bus refuses an event", error, {{"event", ring_.front().code}});
    const auto lost = weight(ring_.front());
    done(1);
    dropped("refused", lost);
  }

  void failed(const Error& error) override {
    if (!failing_since_) {
      failing_since_ = loop_.now();
      log_.warn("the error bus does not take events; they wait", {{"error", error.describe()}});
    }
    if (loop_.now() - *failing_since_ >= kSpillAfter && !options_.spool_file.empty() && !spilling_) {
      spilling_ = true;
      spill_later();
    }
  }

  void done(std::size_t events) {
    const std::size_t from_file = std::min(events, in_file_);
    ring_.erase(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(events));
    in_file_ -= from_file;
    if (from_file > 0) spool_.drop(from_file);
    refill();
    unfold();
    unacknowledged_.set(static_cast<double>(waiting()));
  }

  std::size_t waiting() const noexcept {
    return ring_.size() + static_cast<std::size_t>(spool_.unread() + folds_.events());
  }

  void close() {
    courier_.stop();
    flush_.stop();
    spill_.stop();
    open_again_ = {};
    if (ring_.size() > in_file_ && open_spool()) {
      while (in_file_ < ring_.size() && keep(ring_[in_file_], true)) ++in_file_;
    }
    std::uint64_t lost = 0;
    for (; in_file_ < ring_.size(); ++in_file_) lost += weight(ring_[in_file_]);
    while (auto sample = folds_.take()) {
      if (lost > 0 || !open_spool() || !keep(*sample, false)) lost += weight(*sample);
    }
    if (lost > 0) dropped("closed", lost);
    ring_.clear();
    in_file_ = 0;
  }

  Loop& loop_;
  Options options_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  observe::Counter& reported_;
  observe::Gauge& unacknowledged_;
  Random random_ = Random::from_os();
  std::deque<ErrorEvent> ring_;
  std::size_t in_file_ = 0;
  Folds folds_;
  Spool spool_;
  std::uint64_t epoch_ = 0;
  std::optional<TimePoint> failing_since_;
  TimePoint open_again_{};
  const char* why_not_kept_ = "";
  bool spilling_ = false, closed_ = false;
  Timer flush_, spill_;
  Lifetime lifetime_;
  Courier courier_;
};

ErrorReporter::ErrorReporter(Loop& loop, Options options, Send send, observe::Metrics& metrics, observe::Log& log)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(send), metrics, log)) {
  if (impl_->open_spool()) impl_->refill();  // what an earlier process could not deliver
  wake();
}

ErrorReporter::~ErrorReporter() { close(); }

void ErrorReporter::set_epoch(std::uint64_t epoch) noexcept { impl_->epoch_ = epoch; }

void ErrorReporter::report(ErrorEvent event) noexcept {
  try {
    if (impl_->closed_) return impl_->dropped("closed", weight(event));
    impl_->take(std::move(event));
  } catch (const std::exception&) {  // no memory: there is nothing left to count it with
  }
}

void ErrorReporter::wake() {
  if (impl_->closed_ || impl_->ring_.empty()) return;
  impl_->courier_.forget_failures();
  impl_->flush_.start(Duration::zero(), [this] { impl_->courier_.wake(); });
}

std::size_t ErrorReporter::unacknowledged() const noexcept { return impl_->waiting(); }

void ErrorReporter::close() noexcept {
  try {
    if (!std::exchange(impl_->closed_, true)) impl_->close();
  } catch (const std::exception&) {  // no memory: what is in the file is safe
  }
}

}  // namespace weft::report
