#include "weft/report/reporter.hpp"

#include <deque>

#include "weft/report/folds.hpp"
#include "weft/report/spool.hpp"

namespace weft::report {
namespace {

constexpr Duration kRetryMax = std::chrono::seconds(2);
constexpr Duration kSpillAfter = std::chrono::seconds(1);  ///< so long without the bus, and events go to the file too
constexpr std::size_t kSlice = 256;                        ///< events moved to or from the file in one turn
constexpr std::size_t kBatchBytes = 1024 * 1024;

/// How many events it stands for.
std::uint64_t weight(const ErrorEvent& event) { return 1 + event.repeated; }

}  // namespace

/// The ring holds the oldest events that wait, the file those after them, and of what has no room in either the number
/// is kept. The ring's first `in_file` are in the file too, so
/// that the end of the process does not lose them; while the file has more than the ring, all of the ring is in it.
struct ErrorReporter::Impl {
  Impl(Loop& on, Options wanted, Send how, observe::Metrics& all, observe::Log& to)
      : loop(on),
        options(std::move(wanted)),
        send(std::move(how)),
        metrics(all),
        log(to),
        reported(all.counter("weft_errors_reported_total", "Errors that this process reported.")),
        unacknowledged(all.gauge("weft_errors_unacknowledged", "Errors that the bus has not acknowledged yet.")),
        spool(options.spool_file, options.spool_bytes_max),
        batch_max(options.batch_max),
        delay(options.retry),
        flush(on),
        spill(on),
        retry(on) {
    for (const char* reason : {"folds_full", "refused", "damaged", "closed"}) dropped(reason, 0);
    for (const char* reason : {"ring_full", "spool_full", "spool_failed"}) folded(reason, 0);
    all.on_collect([this, guard = std::weak_ptr<int>(alive)] {
      if (!guard.expired()) collect();
    });
  }

  void dropped(const char* reason, std::uint64_t events) {
    metrics.counter("weft_errors_dropped_total", "Errors that never reached the bus, by reason.", {{"reason", reason}})
        .add(events);
    if (events == 0) return;
    log.error("error events were dropped", {{"reason", reason}, {"events", events}});
  }

  void folded(const char* reason, std::uint64_t events) {
    metrics
        .counter("weft_errors_folded_total", "Errors of which only the number was kept and reported, by reason.",
                 {{"reason", reason}})
        .add(events);
  }

  void collect() {
    metrics.gauge("weft_error_spool_bytes", "Bytes of the events in the spool file.")
        .set(static_cast<double>(spool.bytes()));
    const auto oldest = ring.empty() ? 0 : ring.front().time_us;
    metrics.gauge("weft_error_spool_oldest_age_seconds", "Age of the oldest event that waits for the bus; 0: none.")
        .set(oldest == 0 ? 0.0 : static_cast<double>(to_us(loop.clock().wall()) - oldest) / 1e6);
  }

  // ---- taking

  void take(ErrorEvent event) {
    reported.add();
    if (event.time_us == 0) event.time_us = to_us(loop.clock().wall());
    if (event.id.is_nil()) event.id = Ulid::make(loop.clock().wall(), random);
    if (event.epoch == 0 && is_own(event)) event.epoch = epoch;
    if (spool.unread() == 0 && ring.size() < options.ring_max) {
      ring.push_back(std::move(event));
    } else {
      overflow(std::move(event));
    }
    unacknowledged.set(static_cast<double>(waiting()));
    if (spilling && !spill.running()) spill_later();
    if (!pumping && !retry.running() && !flush.running()) flush.start(Duration::zero(), [this] { pump(); });
  }

  /// The ring is full: the file takes it, behind all of the ring, or its number is kept.
  void overflow(ErrorEvent event) {
    if (!open_spool()) return fold(std::move(event), options.spool_file.empty() ? "ring_full" : "spool_failed");
    while (in_file < ring.size()) {
      if (!keep(ring[in_file], true)) return fold(std::move(event), why_not_kept);
      ++in_file;
    }
    if (!keep(event, false)) fold(std::move(event), why_not_kept);
  }

  void fold(ErrorEvent event, const char* reason) {
    fill(event);
    const auto events = weight(event);
    if (folds.events() == 0) log.warn("error events are only counted until there is room", {{"reason", reason}});
    if (!folds.add(std::move(event))) return dropped("folds_full", events);
    folded(reason, events);
  }

  /// Samples follow when all that was kept whole has room.
  void unfold() {
    while (folds.events() > 0 && spool.unread() == 0 && ring.size() < options.ring_max) ring.push_back(*folds.take());
  }

  bool is_own(const ErrorEvent& event) const { return event.agent.empty() || event.agent == options.agent; }

  /// One in the name of another agent has no more of this process than the host.
  void fill(ErrorEvent& event) const {
    if (event.host.empty()) event.host = options.host;
    if (!is_own(event)) return;
    event.agent = options.agent;
    if (event.version.empty()) event.version = options.version;
    if (event.config_hash.empty()) event.config_hash = options.config_hash;
    if (event.instance.is_nil()) event.instance = options.instance;
  }

  // ---- the file

  bool open_spool() {
    if (options.spool_file.empty()) return false;
    if (spool.is_open()) return true;
    if (loop.now() < open_again) return false;
    auto opened = spool.open();
    note_damage();
    if (!opened) {
      open_again = loop.now() + kSpillAfter;
      log.warn("the error spool cannot be used", {{"error", opened.error().describe()}});
    }
    return opened.has_value();
  }

  void note_damage() {
    if (const auto frames = spool.take_damaged(); frames > 0) dropped("damaged", frames);
  }

  bool keep(ErrorEvent& event, bool held) {
    fill(event);
    auto kept = spool.append(event, held);
    if (kept) return true;
    why_not_kept = kept.error().is(codes::too_large) ? "spool_full" : "spool_failed";
    log.warn("an error event cannot be written to the spool", {{"error", kept.error().describe()}});
    return false;
  }

  /// Copies the ring to the file, some each turn; in memory they stay.
  void spill_later() {
    spill.start(Duration::zero(), [this] {
      if (!spilling || !open_spool()) return;
      for (std::size_t i = 0; i < kSlice && in_file < ring.size(); ++i, ++in_file) {
        if (!keep(ring[in_file], true)) return;
      }
      if (in_file < ring.size()) spill_later();
    });
  }

  void refill() {
    for (std::size_t i = 0; i < 4 * kSlice && ring.size() < options.ring_max && spool.unread() > 0; ++i) {
      auto event = spool.read();
      if (!event) break;
      ring.push_back(std::move(*event));
      ++in_file;
    }
    note_damage();
  }

  // ---- sending

  void pump() {
    if (pumping || ring.empty()) return;
    pumping = true;
    scope.spawn(run());
  }

  Task<void> run() {
    for (bool again = true; again && !ring.empty();) {
      ReportRequest request = batch();
      const std::size_t events = request.events.size();
      auto outcome = co_await attempt(std::move(request));
      again = settle(events, outcome);
    }
    pumping = false;
  }

  ReportRequest batch() {
    ReportRequest request;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < ring.size() && i < batch_max && bytes < kBatchBytes; ++i) {
      fill(ring[i]);
      bytes += size_of(ring[i]);
      request.events.push_back(ring[i]);
    }
    return request;
  }

  Task<Result<ReportReply>> attempt(ReportRequest request) {
    try {
      co_return co_await send(std::move(request));
    } catch (const std::exception& thrown) {
      co_return Error(codes::bug, thrown.what());
    }
  }

  /// True: go on at once. False: the retry timer runs.
  bool settle(std::size_t events, const Result<ReportReply>& outcome) {
    if (outcome) {
      if (failing_since) log.info("the error bus takes events again", {{"waiting", waiting()}});
      failing_since.reset();
      spilling = false;
      delay = options.retry;
      batch_max = std::min(batch_max * 2, options.batch_max);
      done(events);
      return true;
    }
    const Error& error = outcome.error();
    if (error.is(codes::bad_event) || error.is(codes::too_large) || error.is(codes::bad_payload)) {
      return refused(events, error);
    }
    failed(error);
    return false;
  }

  /// Halves the batch until the bad event is alone in it; only that one is dropped.
  bool refused(std::size_t events, const Error& error) {
    if (events > 1) {
      batch_max = events / 2;
      return true;
    }
    log.error("the error bus refuses an event", error, {{"event", ring.front().code}});
    const auto lost = weight(ring.front());
    done(1);
    dropped("refused", lost);
    return true;
  }

  void failed(const Error& error) {
    if (!failing_since) {
      failing_since = loop.now();
      log.warn("the error bus does not take events; they wait", {{"error", error.describe()}});
    }
    if (loop.now() - *failing_since >= kSpillAfter && !options.spool_file.empty() && !spilling) {
      spilling = true;
      spill_later();
    }
    retry.start(delay, [this] { pump(); });
    delay = std::min(delay * 2, kRetryMax);
  }

  void done(std::size_t events) {
    const std::size_t from_file = std::min(events, in_file);
    ring.erase(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(events));
    in_file -= from_file;
    if (from_file > 0) spool.drop(from_file);
    refill();
    unfold();
    unacknowledged.set(static_cast<double>(waiting()));
  }

  std::size_t waiting() const noexcept {
    return ring.size() + static_cast<std::size_t>(spool.unread() + folds.events());
  }

  void close() {
    scope.cancel_all();
    flush.stop();
    spill.stop();
    retry.stop();
    open_again = {};
    if (ring.size() > in_file && open_spool()) {
      while (in_file < ring.size() && keep(ring[in_file], true)) ++in_file;
    }
    std::uint64_t lost = 0;
    for (; in_file < ring.size(); ++in_file) lost += weight(ring[in_file]);
    while (auto sample = folds.take()) {
      if (lost > 0 || !open_spool() || !keep(*sample, false)) lost += weight(*sample);
    }
    if (lost > 0) dropped("closed", lost);
    ring.clear();
    in_file = 0;
  }

  Loop& loop;
  Options options;
  Send send;
  observe::Metrics& metrics;
  observe::Log& log;
  observe::Counter& reported;
  observe::Gauge& unacknowledged;
  Random random = Random::from_os();
  std::deque<ErrorEvent> ring;
  std::size_t in_file = 0;
  Folds folds;
  Spool spool;
  std::uint64_t epoch = 0;
  std::size_t batch_max;
  Duration delay;
  std::optional<TimePoint> failing_since;
  TimePoint open_again{};
  const char* why_not_kept = "";
  bool pumping = false, spilling = false, closed = false;
  Timer flush, spill, retry;
  std::shared_ptr<int> alive = std::make_shared<int>(0);
  TaskScope scope;
};

ErrorReporter::ErrorReporter(Loop& loop, Options options, Send send, observe::Metrics& metrics, observe::Log& log)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(send), metrics, log)) {
  if (impl_->open_spool()) impl_->refill();  // what an earlier process could not deliver
  wake();
}

ErrorReporter::~ErrorReporter() { close(); }

void ErrorReporter::set_epoch(std::uint64_t epoch) noexcept { impl_->epoch = epoch; }

void ErrorReporter::report(ErrorEvent event) noexcept {
  try {
    if (impl_->closed) return impl_->dropped("closed", weight(event));
    impl_->take(std::move(event));
  } catch (const std::exception&) {  // no memory: there is nothing left to count it with
  }
}

void ErrorReporter::wake() {
  if (impl_->closed || impl_->ring.empty()) return;
  impl_->retry.stop();
  impl_->delay = impl_->options.retry;
  impl_->flush.start(Duration::zero(), [this] { impl_->pump(); });
}

std::size_t ErrorReporter::unacknowledged() const noexcept { return impl_->waiting(); }

void ErrorReporter::close() noexcept {
  try {
    if (!std::exchange(impl_->closed, true)) impl_->close();
  } catch (const std::exception&) {  // no memory: what is in the file is safe
  }
}

}  // namespace weft::report
