#include "cli/message_story.hpp"

#include <algorithm>

#include "cli/explain.hpp"

namespace weft::cli {

namespace {

bool is_received(const TracedSpan& one) { return one.span.kind == "server" || one.span.kind == "consumer"; }
bool is_sent(const TracedSpan& one) { return one.span.kind == "client" || one.span.kind == "producer"; }

/// "WEFT-2006 DEADLINE_EXCEEDED", "ok".
std::string outcome_of(const peer::SpanInfo& span) {
  if (span.error.empty()) return "ok";
  const auto code = find_code(span.error);
  return code ? std::string(code->id) + " " + std::string(code->name) : span.error;
}

std::string chosen(const peer::SpanInfo& span) {
  if (span.kind == "producer") return "published";
  std::string text = span.peer.empty() ? "to nobody" : "to " + span.peer;
  if (!span.note.empty()) text += ": " + span.note + ", of " + std::to_string(span.candidates);
  if (span.attempt > 1) text += "; attempt " + std::to_string(span.attempt);
  return text;
}

/// The steps of one message.
class Teller {
 public:
  Teller(const TracedSpan* sent, std::vector<const TracedSpan*> received,
         const std::map<std::string, std::string>& senders)
      : sent_(sent), received_(std::move(received)) {
    const peer::SpanInfo& known = sent ? sent->span : received_.front()->span;
    story_.message = known.message;
    story_.name = known.name;
    story_.trace_id = known.trace_id;
    for (const auto* one : received_) {  // a producer's has no number yet
      if (story_.message.empty()) story_.message = one->span.message;
    }
    const auto sender = senders.find(known.message.substr(0, known.message.find('-')));
    if (sender != senders.end()) sender_ = sender->second;
  }
  Story tell() && {
    begin();
    for (const auto* one : received_) receive(*one);
    end();
    return std::move(story_);
  }

 private:
  void add(std::string step, std::int64_t time_us, std::string where, std::string what) {
    story_.steps.push_back({std::move(step), time_us, std::move(where), std::move(what)});
  }
  void begin() {
    if (!sent_) {
      const bool call = received_.front()->span.kind == "server";
      const char* forgotten = "its sender has left the mesh, or forgot it for later ones";
      add("sent", 0, sender_, call ? forgotten : "events of traces that are not sampled are not kept where they begin");
      return;
    }
    const auto& span = sent_->span;
    if (span.kind == "client" && span.message.empty() && !span.error.empty()) {
      add("refused", span.begin_us, sent_->process, "not sent: " + outcome_of(span));
      story_.failed = true;
      return;
    }
    add("sent", span.begin_us, sent_->process, chosen(span));
  }
  void receive(const TracedSpan& one) {
    const auto& span = one.span;
    story_.failed = story_.failed || !span.error.empty();
    if (!span.note.empty() && span.duration_ns == 0)
      return add("dropped", span.begin_us, one.process, span.note + ": " + outcome_of(span));
    std::string came = "by " + span.name;
    if (span.wire_ns > 0) came += ", " + short_duration(Duration(span.wire_ns)) + " later than the fastest";
    add("received", span.begin_us, one.process, std::move(came));
    const std::int64_t end_us = span.begin_us + span.duration_ns / 1000;
    if (!span.note.empty()) {
      return add("dropped", end_us, one.process,
                 span.note + ", after " + short_duration(Duration(span.queue_ns)) + ": " + outcome_of(span));
    }
    std::string work;
    if (span.queue_ns > 0) work = "waited " + short_duration(Duration(span.queue_ns)) + " for its turn, then ";
    work += "took " + short_duration(Duration(span.duration_ns - span.queue_ns)) + ": " + outcome_of(span);
    add("handled", end_us, one.process, std::move(work));
  }
  void end() {
    if (!sent_ || sent_->span.kind != "client" || sent_->span.message.empty()) return;
    const auto& span = sent_->span;
    story_.failed = story_.failed || !span.error.empty();
    if (received_.empty()) {
      add("unknown", 0, span.peer,
          "knows nothing of it: it did not arrive, is still being handled, or was forgotten for later ones");
    }
    add("ended", span.begin_us + span.duration_ns / 1000, sent_->process,
        outcome_of(span) + ", after " + short_duration(Duration(span.duration_ns)));
  }

  const TracedSpan* sent_;
  std::vector<const TracedSpan*> received_;
  std::string sender_;
  Story story_;
};

bool belong(const peer::SpanInfo& sent, const peer::SpanInfo& received) {
  if (sent.kind == "client" ? received.kind != "server" : received.kind != "consumer") return false;
  if (!sent.message.empty() && !received.message.empty()) return sent.message == received.message;
  return !sent.span_id.empty() && received.parent_id == sent.span_id;
}

}  // namespace

std::vector<Story> stories_of(const std::vector<TracedSpan>& spans, const std::map<std::string, std::string>& senders) {
  std::vector<std::pair<std::int64_t, Story>> all;
  std::vector<const TracedSpan*> orphans;
  for (const auto& one : spans) {
    if (is_received(one)) orphans.push_back(&one);
  }
  const auto take = [&](auto belongs) {
    std::vector<const TracedSpan*> taken;
    for (const auto* one : orphans) {
      if (belongs(one->span)) taken.push_back(one);
    }
    std::erase_if(orphans, [&](const auto* one) { return belongs(one->span); });
    return taken;
  };
  for (const auto& one : spans) {
    if (!is_sent(one)) continue;
    auto received = take([&](const peer::SpanInfo& span) { return belong(one.span, span); });
    all.emplace_back(one.span.begin_us, Teller(&one, std::move(received), senders).tell());
  }
  while (!orphans.empty()) {
    const peer::SpanInfo first = orphans.front()->span;
    auto received = take([&](const peer::SpanInfo& span) {
      return span.kind == first.kind && span.message == first.message && span.name == first.name;
    });
    all.emplace_back(first.begin_us, Teller(nullptr, std::move(received), senders).tell());
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Story> out;
  for (auto& [begin, story] : all) out.push_back(std::move(story));
  return out;
}

}  // namespace weft::cli
