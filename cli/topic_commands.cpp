// weft pub and weft sub: publications out and in.
#include "cli/session.hpp"
#include "cli/target.hpp"

namespace weft::cli {

namespace {

constexpr Duration kSubscribersWait = 1s, kPoll = 5ms, kSettle = 100ms;

struct PubArguments {
  std::string topic, payload;
  std::uint64_t count = 1;
  bool raw = false;
};

struct SubArguments {
  std::string pattern;
  std::uint64_t count = 0;  ///< 0: no end
  Duration for_{};          ///< 0: no end
  bool raw = false;
  bool last = false;
};

/// True when a subscriber that takes the topic is connected; the others have a moment more.
Task<bool> wait_for_subscribers(Session& session, const std::string& topic) {
  const TimePoint end = session.loop().now() + kSubscribersWait;
  while (!session.mesh().peer().wanted(topic) && session.loop().now() < end) co_await sleep_for(session.loop(), kPoll);
  const bool wanted = session.mesh().peer().wanted(topic);
  if (wanted) co_await sleep_for(session.loop(), kSettle);
  co_return wanted;
}

void tell_published(const Global& global, const PubArguments& arguments, bool wanted) {
  if (global.json) {
    Value document;
    document.set("topic", arguments.topic);
    document.set("published", arguments.count);
    document.set("subscribed", wanted);
    print_json(document);
  }
  note(global, "published " + std::to_string(arguments.count) + " on " + arguments.topic +
                   (wanted ? "" : ": nobody subscribes to it"));
}

Task<int> publish(Session& session, const PubArguments& arguments, wire::Payload payload) {
  const Global& global = session.global();
  if (auto fine = session.mesh().publishes(arguments.topic); !fine) co_return fail(global, fine.error());
  const bool wanted = co_await wait_for_subscribers(session, arguments.topic);
  for (std::uint64_t i = 0; i < arguments.count; ++i) {
    if (auto sent = session.mesh().publish(arguments.topic, payload); !sent) co_return fail(global, sent.error());
    if (i % 1000 == 999) co_await sleep_for(session.loop(), 1ms);  // let them leave
  }
  tell_published(global, arguments, wanted);
  co_return kDone;
}

int run_pub(const Global& global, const PubArguments& arguments) {
  if (auto fine = check_topic(arguments.topic); !fine) return fail(global, fine.error());
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  return run_in_mesh(
      global, [&](Session& session) { return publish(session, arguments, *payload); }, Session::Role::publisher);
}

void print_event(const Session& session, WallTime now, const events::Event& event, bool raw) {
  const Global& global = session.global();
  const std::string time = to_rfc3339(now);
  if (global.json) {
    Value line;
    line.set("time", time);
    line.set("topic", event.topic);
    line.set("sequence", event.sequence);
    line.set("sender", std::to_string(event.sender));
    line.set("missed", event.missed);
    line.set("last_value", event.last_value);
    line.set("payload", shown(event.payload));
    return print_json_line(line);
  }
  if (event.missed > 0) {
    note(global, "missed " + std::to_string(event.missed) + " on " + std::string(event.topic));
  }
  if (raw) return print_line(event.payload.text());
  print_line(time.substr(11, 12) + (stdout_is_terminal() ? "  " : "\t") + std::string(event.topic) +
             (stdout_is_terminal() ? "  " : "\t") + shown_text(event.payload));
}

/// Prints until the count is reached, the time is over, or Ctrl-C.
class Watch {
 public:
  Watch(Session& session, const SubArguments& arguments)
      : session_(session), arguments_(arguments), time_is_over_(session.loop()) {}
  Result<void> start() {
    events::SubscribeOptions options;
    options.last_value = arguments_.last;
    options.on_unpublished = [this](const std::string& nearest) {
      note(session_.global(), "nobody publishes " + arguments_.pattern +
                                  (nearest.empty() ? std::string(" yet") : ", did you mean '" + nearest + "'?"));
    };
    auto subscribed = session_.mesh().subscribe(
        arguments_.pattern, [this](const events::Event& event) { take(event); }, std::move(options));
    if (!subscribed) return subscribed.error();
    subscription_ = std::move(*subscribed);
    session_.interruptible();
    if (arguments_.for_ > Duration::zero()) time_is_over_.start(arguments_.for_, [this] { give_up(); });
    if (!session_.global().json) note(session_.global(), "subscribed to " + arguments_.pattern + "; Ctrl-C ends");
    return {};
  }

 private:
  void take(const events::Event& event) {
    if (arguments_.count > 0 && seen_ >= arguments_.count) return;
    ++seen_;
    print_event(session_, session_.loop().clock().wall(), event, arguments_.raw);
    if (seen_ == arguments_.count) session_.finish(kDone);
  }
  void give_up() {
    if (arguments_.count == 0) return session_.finish(kDone);
    note(session_.global(), "only " + std::to_string(seen_) + " of " + std::to_string(arguments_.count) +
                                " came within " + to_text(arguments_.for_));
    session_.finish(kFailed);
  }

  Session& session_;
  const SubArguments& arguments_;
  Timer time_is_over_;
  events::Subscription subscription_;
  std::uint64_t seen_ = 0;
};

Task<int> subscribe(Session& session, std::unique_ptr<Watch>& watch, const SubArguments& arguments) {
  watch = std::make_unique<Watch>(session, arguments);
  if (auto started = watch->start(); !started) co_return fail(session.global(), started.error());
  co_return kKeepRunning;
}

int run_sub(const Global& global, const SubArguments& arguments) {
  if (auto fine = TopicPattern::parse(arguments.pattern); !fine) return fail(global, fine.error());
  auto context = find_mesh(global);
  if (!context) return fail(global, context.error());
  Session session(global, std::move(*context), Session::Role::onlooker);
  std::unique_ptr<Watch> watch;  // goes before the session
  return session.run([&](Session& open) { return subscribe(open, watch, arguments); });
}

}  // namespace

std::vector<Verb> topic_verbs() {
  auto out = std::make_shared<PubArguments>();
  auto in = std::make_shared<SubArguments>();
  return {{.name = "pub",
           .summary = "Publish on a topic",
           .examples = {R"(weft pub demo.news '{"text": "hello"}')", "weft pub demo.tick 1 --count 100",
                        "date | weft pub demo.clock - --raw"},
           .options = {text("topic", out->topic, "TOPIC", "Names joined by dots").required(),
                       text("payload", out->payload, "PAYLOAD", "JSON; '-' reads it from stdin").required(),
                       number("--count", out->count, {1, 1'000'000'000}, "Publish it N times"),
                       flag("--raw", out->raw, "Send the payload's bytes as they are")},
           .run = [out](const Global& global) { return run_pub(global, *out); }},
          {.name = "sub",
           .summary = "Print what is published on the topics that match",
           .examples = {"weft sub 'host.*.metrics'", "weft sub '#' --count 10 --json",
                        "weft sub 'errors.*.critical' --for 1m"},
           .options = {text("pattern", in->pattern, "PATTERN", "A topic; '*' is one segment, '#' at the end any number")
                           .required(),
                       number("--count", in->count, "End after N"), duration("--for", in->for_, "End after this time"),
                       flag("--last", in->last, "First the last value of each topic that keeps it"),
                       flag("--raw", in->raw, "Print the payload's bytes and nothing else")},
           .run = [in](const Global& global) { return run_sub(global, *in); }}};
}

}  // namespace weft::cli
