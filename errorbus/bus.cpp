// ErrorBus: joins the journal, the relay and the methods. Reports that come close together share one transaction.
#include "errorbus/check.hpp"
#include "errorbus/errorbus.hpp"
#include "errorbus/exporter.hpp"
#include "errorbus/relay.hpp"

namespace weft::errorbus {
namespace {

constexpr std::size_t kWaitingMax = 4096;  ///< events; so many are written without waiting for more
constexpr Duration kProbe = 1s;
constexpr Duration kSettle = 1min;
constexpr Duration kHubTimeout = 2s;
const char* const kHealthCheck = "journal";

/// How many may pass in this second.
class Rate {
 public:
  explicit Rate(std::uint64_t per_second) : per_second_(per_second) {}
  bool pass(TimePoint now) {
    if (now - since_ >= 1s) {
      since_ = now;
      used_ = 0;
    }
    return used_++ < per_second_;
  }

 private:
  std::uint64_t per_second_;
  std::uint64_t used_ = 0;
  TimePoint since_{};
};

}  // namespace

struct ErrorBus::Impl {
  struct Waiting {
    std::vector<ErrorEvent> events;
    bool from_agent = true;
    Completion<Result<report::ReportReply>>::Completer completer;
  };

  Impl(ErrorBus& bus, Loop& loop, peer::Peer& peer, Options options, observe::Metrics& metrics, observe::Log& log,
       observe::Health& health)
      : bus_(bus),
        loop_(loop),
        peer_(peer),
        options_(std::move(options)),
        log_(log),
        health_(health),
        journal_(loop.clock(), options_.journal, !options_.hub.empty(), options_.forward),
        exporter_(journal_, loop.clock(), metrics),
        live_(options_.live_per_second),
        commit_(loop),
        probe_(loop),
        settle_(loop),
        relay_(
            loop, journal_, {.host = options_.host}, [this](auto request) { return to_hub(std::move(request)); },
            metrics, log, bus) {}

  void start();
  void serve();
  void serve_action(Action action, const char* summary);
  Task<Result<report::ReportReply>> report(report::ReportRequest request);
  void report_own(ErrorEvent event);
  void flush();
  void publish(const std::vector<Waiting>& reports, const Journal::Committed& committed);
  void broken(const Error& error);
  void continue_in_memory(const Error& why);
  void working();
  void report_notice();
  void probe_later();
  void settle_later();
  Task<Result<report::ReportReply>> to_hub(report::ReportRequest request);
  Stats stats() const;

  ErrorBus& bus_;
  Loop& loop_;
  peer::Peer& peer_;
  Options options_;
  observe::Log& log_;
  observe::Health& health_;
  Journal journal_;
  Exporter exporter_;
  Rate live_;
  Random random_ = Random::from_os();
  std::vector<Waiting> waiting_;
  std::size_t waiting_events_ = 0;
  std::string journal_error_;
  bool was_open_ = false;  ///< the journal's file, since the start
  Timer commit_, probe_, settle_;
  Relay relay_;
};

ErrorBus::ErrorBus(Loop& loop, peer::Peer& peer, Options options, observe::Metrics& metrics, observe::Log& log,
                   observe::Health& health)
    : impl_(std::make_unique<Impl>(*this, loop, peer, std::move(options), metrics, log, health)) {}
ErrorBus::~ErrorBus() = default;

void ErrorBus::start() { impl_->start(); }
Task<Result<report::ReportReply>> ErrorBus::report(report::ReportRequest request) {
  return impl_->report(std::move(request));
}
Stats ErrorBus::stats() const { return impl_->stats(); }
void ErrorBus::close() { impl_->flush(); }

void ErrorBus::report(ErrorEvent event) noexcept {
  try {
    impl_->report_own(std::move(event));
  } catch (const std::exception&) {  // no memory: the log line of who reports has to do
  }
}

void ErrorBus::Impl::start() {
  if (auto opened = journal_.probe(); !opened) {
    broken(opened.error());
  } else {
    working();
  }
  serve();
  settle_later();
}

void ErrorBus::Impl::serve() {
  peer::serve<report::ReportRequest>(peer_, {"report", "takes error events; answers when they are journaled"},
                                     [this](report::ReportRequest request) { return report(std::move(request)); });
  peer::serve<EventsRequest>(peer_, {"events", "the journal's events, filtered"},
                             [this](const EventsRequest& request) { return journal_.events(request); });
  peer::serve<IssuesRequest>(peer_, {"issues", "issues, last seen first"}, [this](const IssuesRequest& request) {
    auto issues = journal_.issues(request);
    return issues ? Result<IssuesReply>(IssuesReply{std::move(*issues)}) : issues.error();
  });
  peer::serve<IssueRequest>(peer_, {"issue", "one issue with its first and last event"},
                            [this](const IssueRequest& request) { return journal_.issue(request.id); });
  peer::serve<Value>(peer_, {"stats", "counts, backlog and state of this bus"},
                     [this](const Value&) { return Result<Stats>(stats()); });
  serve_action(Action::acknowledge, "somebody works on it");
  serve_action(Action::resolve, "it is fixed, in a version or in all");
  serve_action(Action::archive, "nobody will work on it");
  serve_action(Action::reopen, "back to ongoing");
  const auto announced = peer_.publishes("errors." + options_.host + ".*");
  if (!announced) log_.error("cannot announce the live errors", announced.error());
}

void ErrorBus::Impl::serve_action(Action action, const char* summary) {
  const std::string method(to_string(action));
  peer::serve<IssueAction>(peer_, {method, summary}, [this, action](const IssueAction& by) {
    auto issue = journal_.act(action, by);
    if (issue) {
      log_.info("an issue was changed", {{"issue", by.id}, {"action", to_string(action)}, {"who", by.who}});
    }
    return issue;
  });
}

Task<Result<report::ReportReply>> ErrorBus::Impl::report(report::ReportRequest request) {
  if (auto checked = check_events(request.events); !checked) {
    exporter_.rejected("bad_event");
    log_.warn("a report was refused", {{"error", checked.error().describe()}});
    co_return checked.error();
  }
  Completion<Result<report::ReportReply>> done;
  waiting_events_ += request.events.size();
  waiting_.push_back({std::move(request.events), request.via.empty(), done.completer()});
  if (waiting_events_ >= kWaitingMax) {
    flush();
  } else if (!commit_.running()) {
    commit_.start(options_.commit_delay, [this] { flush(); });
  }
  co_return co_await done;
}

void ErrorBus::Impl::report_own(ErrorEvent event) {
  event.id = event.id.is_nil() ? Ulid::make(loop_.clock().wall(), random_) : event.id;
  event.time_us = event.time_us == 0 ? to_us(loop_.clock().wall()) : event.time_us;
  event.host = options_.host;
  event.agent = peer_.options().agent;
  event.instance = peer_.options().instance;
  event.version = options_.version;
  if (auto checked = check_event(event); !checked) {
    log_.error("an own error could not be journaled", checked.error());
    return;
  }
  waiting_.emplace_back().events.push_back(std::move(event));
  if (++waiting_events_ >= kWaitingMax) return flush();
  if (!commit_.running()) commit_.start(options_.commit_delay, [this] { flush(); });
}

void ErrorBus::Impl::flush() {
  commit_.stop();
  auto reports = std::exchange(waiting_, {});
  const auto events = std::exchange(waiting_events_, 0);
  if (reports.empty()) return;
  std::vector<const std::vector<ErrorEvent>*> borrowed;
  borrowed.reserve(reports.size());
  for (const Waiting& report : reports) borrowed.push_back(&report.events);
  auto committed = journal_.commit(borrowed);
  // The file was damaged or removed: use the new one at once, so that nothing has to be sent again.
  if (!committed && !journal_.is_open() && journal_.open()) committed = journal_.commit(borrowed);
  if (committed) {
    exporter_.count(*committed);
    if (!journal_.in_memory()) working();
    publish(reports, *committed);
    if (!options_.hub.empty()) relay_.wake();
  } else {
    exporter_.rejected("journal_failed", events);
    broken(committed.error());
  }
  for (std::size_t i = 0; i < reports.size(); ++i) {
    reports[i].completer.complete(committed ? Result<report::ReportReply>(committed->replies[i]) : committed.error());
  }
}

/// Each event is published by the bus that had it from its agent, and by no other.
void ErrorBus::Impl::publish(const std::vector<Waiting>& reports, const Journal::Committed& committed) {
  for (const auto& fresh : committed.fresh) {
    if (!reports[fresh.report].from_agent) continue;
    if (!live_.pass(loop_.now())) {
      exporter_.live_skipped();
      continue;
    }
    const ErrorEvent& event = *fresh.event;
    const std::string topic = "errors." + event.host + "." + std::string(to_string(event.severity));
    const auto published = peer_.publish(topic, wire::Payload::of(event));
    if (!published) log_.warn("an event was not published live", {{"error", published.error().describe()}});
  }
}

/// A journal that is full stays as it is, and reports are refused until there is room; one that cannot be opened is
/// replaced by one in memory until it can.
void ErrorBus::Impl::broken(const Error& error) {
  const bool first = journal_error_.empty();
  if (first) log_.error("the error journal does not work", error);
  if (!journal_.is_open() && !error.is(codes::disk_full)) continue_in_memory(error);
  journal_error_ = error.describe() + (journal_.in_memory() ? "; errors are kept in memory" : "");
  health_.set(kHealthCheck, false, journal_error_);
  if (bus_.on_journal) bus_.on_journal(journal_error_);
  if (!probe_.running()) probe_later();
}

void ErrorBus::Impl::continue_in_memory(const Error& why) {
  if (auto opened = journal_.open_memory(); !opened) return log_.error("there is no journal at all", opened.error());
  log_.warn("errors are kept in memory until the journal can be opened", {{"file", options_.journal.file}});
  ErrorEvent event;
  event.severity = Severity::critical;
  event.category = "journal";
  event.code = codes::journal_failed.id;
  event.message = "the error journal cannot be opened, errors are kept in memory only: {why}";
  event.values["why"] = why.describe();
  report_own(std::move(event));
}

void ErrorBus::Impl::working() {
  if (!std::exchange(was_open_, true) || !journal_error_.empty()) exporter_.restore();
  health_.set(kHealthCheck, true);
  if (!journal_error_.empty()) {
    log_.info("the error journal works again");
    if (bus_.on_journal) bus_.on_journal({});
  }
  journal_error_.clear();
  probe_.stop();
  report_notice();
}

void ErrorBus::Impl::report_notice() {
  const std::string notice = journal_.take_notice();
  if (notice.empty()) return;
  log_.error(notice);
  ErrorEvent event;
  event.severity = Severity::critical;
  event.category = "journal";
  event.code = codes::journal_damaged.id;
  event.message = "{notice}";
  event.values["notice"] = notice;
  report_own(std::move(event));
}

void ErrorBus::Impl::probe_later() {
  probe_.start(kProbe, [this] {
    auto works = journal_.probe();
    if (!works) return broken(works.error());
    working();
    if (!options_.hub.empty()) relay_.wake();
  });
}

void ErrorBus::Impl::settle_later() {
  settle_.start(kSettle, [this] {
    if (auto settled = journal_.settle_issues(); !settled) broken(settled.error());
    settle_later();
  });
}

Task<Result<report::ReportReply>> ErrorBus::Impl::to_hub(report::ReportRequest request) {
  calls::CallOptions call;
  call.timeout = kHubTimeout;
  auto payload = wire::Payload::of(request);
  auto reply = co_await peer_.call_at(options_.hub, "errorbus.report", std::move(payload), call);
  if (reply) co_return reply->as<report::ReportReply>();
  // A connection that a cut network holds recovers late, by TCP's own growing delays: begin a new one.
  if (reply.error().kind == ErrorKind::timeout) peer_.drop_peer(options_.hub, "it does not answer");
  co_return reply.error();
}

Stats ErrorBus::Impl::stats() const {
  Stats stats;
  stats.host = options_.host;
  stats.hub = options_.hub;
  stats.events_total = journal_.events_total();
  stats.events_kept = journal_.events_kept();
  stats.duplicates = exporter_.duplicates();
  stats.relay_pending = journal_.waiting_events();
  stats.relay_error = relay_.error();
  stats.journal_bytes = journal_.bytes();
  stats.journal_error = journal_error_;
  return stats;
}

}  // namespace weft::errorbus
