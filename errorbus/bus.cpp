// ErrorBus: joins the journal, the relay and the methods. Reports that come close together share one transaction.
#include "errorbus/check.hpp"
#include "errorbus/errorbus.hpp"
#include "errorbus/exporter.hpp"
#include "errorbus/relay.hpp"

namespace weft::errorbus {
namespace {

constexpr std::size_t kWaitingMax = 4096;  ///< events; so many are written without waiting for more
constexpr Duration kProbe = std::chrono::seconds(1);
constexpr Duration kSettle = std::chrono::minutes(1);
constexpr Duration kHubTimeout = std::chrono::seconds(2);
const char* const kHealthCheck = "journal";

/// How many may pass in this second.
class Rate {
 public:
  explicit Rate(std::uint64_t per_second) : per_second_(per_second) {}
  bool pass(TimePoint now) {
    if (now - since_ >= std::chrono::seconds(1)) {
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

  Impl(ErrorBus& own, Loop& on, peer::Peer& of, Options wanted, observe::Metrics& metrics, observe::Log& to,
       observe::Health& state)
      : bus(own),
        loop(on),
        peer(of),
        options(std::move(wanted)),
        log(to),
        health(state),
        journal(on.clock(), options.journal, !options.hub.empty(), options.forward),
        exporter(journal, on.clock(), metrics),
        live(options.live_per_second),
        commit(on),
        probe(on),
        settle(on),
        relay(
            on, journal, {.host = options.host}, [this](auto request) { return to_hub(std::move(request)); }, metrics,
            to, own) {}

  void start();
  void serve();
  template <class Request, class Work>
  void serve_query(const char* method, const char* summary, Work work);
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

  ErrorBus& bus;
  Loop& loop;
  peer::Peer& peer;
  Options options;
  observe::Log& log;
  observe::Health& health;
  Journal journal;
  Exporter exporter;
  Rate live;
  Random random = Random::from_os();
  std::vector<Waiting> waiting;
  std::size_t waiting_events = 0;
  std::string journal_error;
  bool was_open = false;  ///< the journal's file, since the start
  Timer commit, probe, settle;
  Relay relay;
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
  if (auto opened = journal.probe(); !opened) {
    broken(opened.error());
  } else {
    working();
  }
  serve();
  settle_later();
}

void ErrorBus::Impl::serve() {
  peer.serve({"report", "takes error events; answers when they are journaled"},
             [this](calls::Call& call) -> Task<Result<wire::Payload>> {
               auto request = call.payload().as<report::ReportRequest>();
               if (!request) co_return request.error();
               auto reply = co_await report(std::move(*request));
               if (!reply) co_return reply.error();
               co_return wire::Payload::of(*reply);
             });
  serve_query<EventsRequest>("events", "the journal's events, filtered",
                             [this](const EventsRequest& request) { return journal.events(request); });
  serve_query<IssuesRequest>("issues", "issues, last seen first", [this](const IssuesRequest& request) {
    auto issues = journal.issues(request);
    return issues ? Result<IssuesReply>(IssuesReply{std::move(*issues)}) : issues.error();
  });
  serve_query<IssueRequest>("issue", "one issue with its first and last event",
                            [this](const IssueRequest& request) { return journal.issue(request.id); });
  serve_query<Value>("stats", "counts, backlog and state of this bus",
                     [this](const Value&) { return Result<Stats>(stats()); });
  serve_action(Action::acknowledge, "somebody works on it");
  serve_action(Action::resolve, "it is fixed, in a version or in all");
  serve_action(Action::archive, "nobody will work on it");
  serve_action(Action::reopen, "back to ongoing");
  const auto announced = peer.publishes("errors." + options.host + ".*");
  if (!announced) log.error("cannot announce the live errors", announced.error());
}

template <class Request, class Work>
void ErrorBus::Impl::serve_query(const char* method, const char* summary, Work work) {
  peer.serve({method, summary}, [work](calls::Call& call) -> Task<Result<wire::Payload>> {
    Result<Request> request = call.payload().bytes.empty() ? Result<Request>(Request()) : call.payload().as<Request>();
    if (!request) co_return request.error();
    auto reply = work(*request);
    if (!reply) co_return reply.error();
    co_return wire::Payload::of(*reply);
  });
}

void ErrorBus::Impl::serve_action(Action action, const char* summary) {
  const std::string method(to_string(action));
  serve_query<IssueAction>(method.c_str(), summary, [this, action](const IssueAction& by) {
    auto issue = journal.act(action, by);
    if (issue) {
      log.info("an issue was changed", {{"issue", by.id}, {"action", to_string(action)}, {"who", by.who}});
    }
    return issue;
  });
}

Task<Result<report::ReportReply>> ErrorBus::Impl::report(report::ReportRequest request) {
  if (auto checked = check_events(request.events); !checked) {
    exporter.rejected("bad_event");
    log.warn("a report was refused", {{"error", checked.error().describe()}});
    co_return checked.error();
  }
  Completion<Result<report::ReportReply>> done;
  waiting_events += request.events.size();
  waiting.push_back({std::move(request.events), request.via.empty(), done.completer()});
  if (waiting_events >= kWaitingMax) {
    flush();
  } else if (!commit.running()) {
    commit.start(options.commit_delay, [this] { flush(); });
  }
  co_return co_await done;
}

void ErrorBus::Impl::report_own(ErrorEvent event) {
  event.id = event.id.is_nil() ? Ulid::make(loop.clock().wall(), random) : event.id;
  event.time_us = event.time_us == 0 ? to_us(loop.clock().wall()) : event.time_us;
  event.host = options.host;
  event.agent = peer.options().agent;
  event.instance = peer.options().instance;
  event.version = options.version;
  if (auto checked = check_event(event); !checked) {
    log.error("an own error could not be journaled", checked.error());
    return;
  }
  waiting.emplace_back().events.push_back(std::move(event));
  if (++waiting_events >= kWaitingMax) return flush();
  if (!commit.running()) commit.start(options.commit_delay, [this] { flush(); });
}

void ErrorBus::Impl::flush() {
  commit.stop();
  auto reports = std::exchange(waiting, {});
  const auto events = std::exchange(waiting_events, 0);
  if (reports.empty()) return;
  std::vector<const std::vector<ErrorEvent>*> borrowed;
  borrowed.reserve(reports.size());
  for (const Waiting& report : reports) borrowed.push_back(&report.events);
  auto committed = journal.commit(borrowed);
  // The file was damaged or removed: use the new one at once, so that nothing has to be sent again.
  if (!committed && !journal.is_open() && journal.open()) committed = journal.commit(borrowed);
  if (committed) {
    exporter.count(*committed);
    if (!journal.in_memory()) working();
    publish(reports, *committed);
    if (!options.hub.empty()) relay.wake();
  } else {
    exporter.rejected("journal_failed", events);
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
    if (!live.pass(loop.now())) {
      exporter.live_skipped();
      continue;
    }
    const ErrorEvent& event = *fresh.event;
    const std::string topic = "errors." + event.host + "." + std::string(to_string(event.severity));
    const auto published = peer.publish(topic, wire::Payload::of(event));
    if (!published) log.warn("an event was not published live", {{"error", published.error().describe()}});
  }
}

/// A journal that is full stays as it is, and reports are refused until there is room; one that cannot be opened is
/// replaced by one in memory until it can.
void ErrorBus::Impl::broken(const Error& error) {
  const bool first = journal_error.empty();
  if (first) log.error("the error journal does not work", error);
  if (!journal.is_open() && !error.is(codes::disk_full)) continue_in_memory(error);
  journal_error = error.describe() + (journal.in_memory() ? "; errors are kept in memory" : "");
  health.set(kHealthCheck, false, journal_error);
  if (bus.on_journal) bus.on_journal(journal_error);
  if (!probe.running()) probe_later();
}

void ErrorBus::Impl::continue_in_memory(const Error& why) {
  if (auto opened = journal.open_memory(); !opened) return log.error("there is no journal at all", opened.error());
  log.warn("errors are kept in memory until the journal can be opened", {{"file", options.journal.file}});
  ErrorEvent event;
  event.severity = Severity::critical;
  event.category = "journal";
  event.code = codes::journal_failed.id;
  event.message = "the error journal cannot be opened, errors are kept in memory only: {why}";
  event.values["why"] = why.describe();
  report_own(std::move(event));
}

void ErrorBus::Impl::working() {
  if (!std::exchange(was_open, true) || !journal_error.empty()) exporter.restore();
  health.set(kHealthCheck, true);
  if (!journal_error.empty()) {
    log.info("the error journal works again");
    if (bus.on_journal) bus.on_journal({});
  }
  journal_error.clear();
  probe.stop();
  report_notice();
}

void ErrorBus::Impl::report_notice() {
  const std::string notice = journal.take_notice();
  if (notice.empty()) return;
  log.error(notice);
  ErrorEvent event;
  event.severity = Severity::critical;
  event.category = "journal";
  event.code = codes::journal_damaged.id;
  event.message = "{notice}";
  event.values["notice"] = notice;
  report_own(std::move(event));
}

void ErrorBus::Impl::probe_later() {
  probe.start(kProbe, [this] {
    auto works = journal.probe();
    if (!works) return broken(works.error());
    working();
    if (!options.hub.empty()) relay.wake();
  });
}

void ErrorBus::Impl::settle_later() {
  settle.start(kSettle, [this] {
    if (auto settled = journal.settle_issues(); !settled) broken(settled.error());
    settle_later();
  });
}

Task<Result<report::ReportReply>> ErrorBus::Impl::to_hub(report::ReportRequest request) {
  calls::CallOptions call;
  call.timeout = kHubTimeout;
  auto payload = wire::Payload::of(request);
  auto reply = co_await peer.call_at(options.hub, "errorbus.report", std::move(payload), call);
  if (reply) co_return reply->as<report::ReportReply>();
  // A connection that a cut network holds recovers late, by TCP's own growing delays: begin a new one.
  if (reply.error().kind == ErrorKind::timeout) peer.drop_peer(options.hub, "it does not answer");
  co_return reply.error();
}

Stats ErrorBus::Impl::stats() const {
  Stats stats;
  stats.host = options.host;
  stats.hub = options.hub;
  stats.events_total = journal.events_total();
  stats.events_kept = journal.events_kept();
  stats.duplicates = exporter.duplicates();
  stats.relay_pending = journal.waiting_events();
  stats.relay_error = relay.error();
  stats.journal_bytes = journal.bytes();
  stats.journal_error = journal_error;
  return stats;
}

}  // namespace weft::errorbus
