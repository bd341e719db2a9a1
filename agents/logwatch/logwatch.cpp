// Joins files, rules and the mesh.
#include "agents/logwatch/logwatch.hpp"

#include <filesystem>

#include "weft/base/files.hpp"

namespace weft::logwatch {

namespace {
constexpr std::size_t kReadPerTurn = 1024 * 1024;
constexpr Duration kGather = 20ms;  // events of files come in crowds
constexpr Duration kGatherFolder = 100ms;
constexpr std::size_t kTextMax = 4096;  // bytes of a line that travel

RuleSet rules_of(const Settings& settings, Agent& agent) {
  auto made = RuleSet::make(settings.rules);
  if (!made) agent.refuse_settings(made.error());
  return std::move(*made);
}

Positions saved_of(Agent& agent) {
  const std::string file = agent.state_directory() + "/positions.json";
  auto saved = load_positions(file);
  if (saved) return std::move(*saved);
  std::error_code ignored;  // a file that cannot be read need not be one that can be renamed
  std::filesystem::rename(file, damaged_name(file, agent.loop().clock().wall()), ignored);
  agent.log().error("positions not readable, starting as if for the first time", saved.error());
  agent.report(Severity::error, "POSITIONS_LOST", "positions of log files are not readable: {why}",
               {{"why", saved.error().message}}, "log");
  return {};
}
}  // namespace

Logwatch::Logwatch(Settings settings, Agent& agent)
    : settings_(std::move(settings)),
      agent_(agent),
      rules_(rules_of(settings_, agent)),
      follower_(
          {settings_.files, settings_.from == "start" ? Tail::From::start : Tail::From::end,
           static_cast<std::size_t>(settings_.files_max), static_cast<std::size_t>(settings_.line_max)},
          saved_of(agent), [this](const std::string& path, const Line& line) { look_at(path, line); },
          [this](const Error& error) {
            agent_.log().warn("log file not followed", {{"why", error.message}});
            agent_.report(Severity::warning, "LOG_UNREADABLE", "a log file cannot be followed: {why}",
                          {{"why", error.message}}, "log");
          }),
      events_(
          agent.loop(),
          [this](const Identity& file) {
            follower_.mark(file);
            read_soon(kGather);
          },
          [this] { scan_soon(); }),
      scan_timer_(agent.loop()),
      read_timer_(agent.loop()) {
  auto& metrics = agent_.metrics();
  for (const auto& rule : rules_.rules()) {
    states_.push_back({Limiter(rule.rate, static_cast<double>(rule.burst)),
                       metrics.counter("weft_logwatch_matches_total", "Lines that matched.", {{"rule", rule.name}}),
                       metrics.counter("weft_logwatch_suppressed_total", "Matches over the rate of their rule.",
                                       {{"rule", rule.name}})});
  }
  auto& files = metrics.gauge("weft_logwatch_files", "Files that are followed.");
  auto& over = metrics.gauge("weft_logwatch_files_over_limit", "Files not followed: files_max is reached.");
  auto& truncations = metrics.counter("weft_logwatch_truncations_total", "Files that were truncated or written anew.");
  metrics.on_collect([this, &files, &over, &truncations] {
    files.set(static_cast<double>(follower_.size()));
    over.set(static_cast<double>(follower_.over_limit()));
    truncations.add(follower_.truncations() - truncations.value());
  });
  agent_.publishes("log." + agent_.host() + ".*");
  agent_.every(settings_.rescan, [this] { scan(); });
  agent_.every(1s, [this] {
    tell_suppressed();
    save();
  });
  scan_timer_.start({}, [this] { scan(); });
}

Logwatch::~Logwatch() { save(); }

void Logwatch::scan() {
  follower_.scan(agent_.loop().now());
  const bool all = events_.follow(follower_.descriptors(), folders_of(settings_.files));
  if (!all && !watches_missing_)
    agent_.log().warn(
        "not every log file can be watched, those are looked at every rescan: raise fs.inotify.max_user_watches");
  watches_missing_ = !all;
  save();  // a file that is new is known from now on: what is written after a crash will not count as old
  read_soon({});
}

void Logwatch::scan_soon() {
  if (!scan_timer_.running()) scan_timer_.start(kGatherFolder, [this] { scan(); });
}

void Logwatch::read_soon(Duration delay) {
  if (!read_timer_.running()) read_timer_.start(delay, [this] { read(); });
}

void Logwatch::read() {
  if (follower_.read(kReadPerTurn, agent_.loop().now())) read_soon({});
}

void Logwatch::look_at(const std::string& path, const Line& line) {
  for (auto& match : rules_.match(path, line.text)) {
    const Rule& rule = rules_.rules()[match.rule];
    RuleState& state = states_[match.rule];
    state.matches.add();
    if (!state.limiter.allow(agent_.loop().now())) {
      state.suppressed.add();
      continue;
    }
    LogMatch told;
    told.host = agent_.host();
    told.rule = rule.name;
    told.category = rule.category;
    told.severity = rule.severity;
    told.path = path;
    told.line = printable(line.text.substr(0, kTextMax));
    told.time_us = to_us(agent_.loop().clock().wall());
    told.offset = line.offset;
    told.cut = line.cut || line.text.size() > kTextMax;
    for (const auto& [name, text] : match.groups) told.groups[name] = printable(text.substr(0, kTextMax));
    tell(rule, std::move(told));
  }
}

void Logwatch::tell(const Rule& rule, LogMatch match) {
  if (auto sent = agent_.publish("log." + agent_.host() + "." + rule.name, match); !sent)
    agent_.log().error("match not published", sent.error(), {{"rule", rule.name}});
  ErrorEvent event;
  event.severity = rule.severity;
  event.category = rule.category;
  event.code = rule.code;
  event.message = "{path}: {line}";
  event.fingerprint = "log/" + agent_.host() + "/" + rule.name;
  for (auto& [name, text] : match.groups) event.values.emplace(name, std::move(text));
  event.values["rule"] = rule.name;
  event.values["path"] = std::move(match.path);
  event.values["line"] = std::move(match.line);
  event.values["offset"] = match.offset;
  agent_.report(std::move(event));
}

void Logwatch::tell_suppressed() {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const auto count = states_[i].limiter.take_suppressed(agent_.loop().now());
    if (count == 0) continue;
    agent_.report(Severity::warning, "LOG_SUPPRESSED", "{count} more lines matched rule {rule}, over its rate",
                  {{"count", count}, {"rule", rules_.rules()[i].name}}, rules_.rules()[i].category);
  }
}

void Logwatch::save() {
  if (follower_.revision() == saved_revision_) return;
  const auto saved =
      save_positions(agent_.state_directory() + "/positions.json", follower_.positions(agent_.loop().clock().wall()));
  if (saved) {
    saved_revision_ = follower_.revision();
  } else if (!save_fails_) {
    agent_.log().error("positions not saved: a restart would read lines again", saved.error());
    agent_.report(Severity::error, "POSITIONS_NOT_SAVED", "positions of log files are not saved: {why}",
                  {{"why", saved.error().message}}, "log");
  }
  save_fails_ = !saved;
}

}  // namespace weft::logwatch
