// weft ledger: what became of every publication, for each publisher, subscriber and topic.
#include <algorithm>
#include <map>

#include "cli/survey.hpp"

namespace weft::cli {

namespace {

constexpr Duration kTelling = 100ms;  // for what publishers tell to arrive
constexpr int kLooks = 10;            // while something is under way or unexplained

struct LedgerArguments {
  std::string agent, topic = "#";
};

/// One publisher, one subscriber, one topic.
struct Pair {
  std::string publisher, subscriber, topic;
  std::uint64_t sent = 0, received = 0, under_way = 0, unexplained = 0, repeated = 0;
  std::map<std::string, std::uint64_t> dropped;
  WEFT_FIELDS(Pair, publisher, subscriber, topic, sent, received, dropped, under_way, unexplained, repeated)
};

struct Books {
  std::vector<wire::LedgerReply> replies;
  std::vector<std::pair<wire::InstanceRecord, Error>> silent;
};

bool has_ledger(const wire::InstanceRecord& record) {
  return std::any_of(record.methods.begin(), record.methods.end(),
                     [](const wire::MethodInfo& method) { return method.name == "_ledger"; });
}

Task<Result<wire::LedgerReply>> ask(Session& session, const wire::InstanceRecord& record, bool tell) {
  calls::CallOptions options(session.global().timeout);
  options.instance = record.instance.to_string();
  wire::LedgerRequest request;
  request.tell = tell;
  request.limit = wire::LedgerRequest::kLimitMax;
  const std::string target = record.agent + "._ledger";
  auto answer = co_await session.mesh().call(target, wire::Payload::of(request), options);
  co_return read_as<wire::LedgerReply>(answer);
}

Task<Books> ask_all(Session& session, std::vector<wire::InstanceRecord> records, bool tell) {
  Books books;
  for (const auto& record : records) {
    auto reply = co_await ask(session, record, tell);
    if (reply)
      books.replies.push_back(std::move(*reply));
    else
      books.silent.emplace_back(record, reply.error());
  }
  co_return books;
}

std::string hexadecimal(std::uint64_t number) {
  std::string out(16, '0');
  for (auto at = out.rbegin(); at != out.rend(); ++at, number >>= 4) *at = "0123456789abcdef"[number & 15];
  return out;
}

/// `published` was asked for before `heard`: what a subscriber has not come to yet is under way.
std::vector<Pair> pairs_of(const Books& published, const Books& heard, const mesh::Directory& directory,
                           const LedgerArguments& arguments) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> sequences;  // by sender and topic
  std::map<std::string, std::string> names;
  for (const auto* record : directory.all())  // those too that keep no books, such as a registry
    names[hexadecimal(record->instance.short_id())] = record->agent + "@" + record->host;
  for (const auto& reply : published.replies) {
    const std::string sender = hexadecimal(reply.instance.short_id());
    names[sender] = reply.agent + "@" + reply.host;
    for (const auto& topic : reply.published) sequences[{sender, topic.topic}] = topic.sequence;
  }
  const auto wanted = TopicPattern::parse(arguments.topic);
  const auto is_about = [&](const std::string& who) { return who.substr(0, who.find('@')) == arguments.agent; };
  std::vector<Pair> out;
  for (const auto& reply : heard.replies) {
    const std::string subscriber = reply.agent + "@" + reply.host;
    for (const auto& row : reply.heard) {
      const auto known = names.find(row.sender);
      std::string publisher = known != names.end() ? known->second
                              : row.peer.empty()   ? row.sender
                                                   : row.peer + " (gone)";
      if (!wanted->matches(row.topic)) continue;
      if (!arguments.agent.empty() && !is_about(subscriber) && !is_about(publisher)) continue;
      const auto last = sequences.find({row.sender, row.topic});
      const std::uint64_t under_way =
          last != sequences.end() && last->second > row.sequence ? last->second - row.sequence : 0;
      out.push_back({std::move(publisher), subscriber, row.topic, row.sent + under_way, row.received, under_way,
                     row.unexplained, row.repeated, row.dropped});
    }
  }
  std::sort(out.begin(), out.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.publisher, a.subscriber, a.topic) < std::tie(b.publisher, b.subscriber, b.topic);
  });
  return out;
}

bool is_settled(const std::vector<Pair>& pairs) {
  return std::all_of(pairs.begin(), pairs.end(),
                     [](const Pair& pair) { return pair.under_way == 0 && pair.unexplained == 0; });
}

std::string text_of(const std::map<std::string, std::uint64_t>& dropped) {
  std::vector<std::string> words;
  for (const auto& [reason, count] : dropped) words.push_back(printable(reason) + " " + std::to_string(count));
  return words.empty() ? "-" : joined(words, ", ");
}

void print_pairs(const std::vector<Pair>& pairs) {
  Table table({"PUBLISHER", "SUBSCRIBER", "TOPIC", "SENT", "RECEIVED", "DROPPED", "UNDER WAY", "UNEXPLAINED"});
  for (const auto& pair : pairs) {
    table.add({printable(pair.publisher), printable(pair.subscriber), printable(pair.topic), std::to_string(pair.sent),
               std::to_string(pair.received), text_of(pair.dropped), std::to_string(pair.under_way),
               std::to_string(pair.unexplained)});
  }
  table.print();
}

void print_document(const std::vector<Pair>& pairs, const Books& books) {
  Value document, list = Value::List(), silent = Value::List();
  for (const auto& pair : pairs) list.as_list().push_back(to_value(pair));
  for (const auto& [record, error] : books.silent) {
    Value entry = error_document(error);
    entry.set("agent", record.agent);
    entry.set("host", record.host);
    silent.as_list().push_back(std::move(entry));
  }
  document.set("pairs", std::move(list));
  document.set("silent", std::move(silent));
  print_json(document);
}

Task<int> ledger(Session& session, const LedgerArguments& arguments) {
  const Global& global = session.global();
  const auto& directory = session.mesh().directory();
  if (!arguments.agent.empty() && directory.instances(arguments.agent).empty()) {
    co_return fail(global, Error(codes::unknown_agent,
                                 "no agent '" + arguments.agent + "' is in the mesh" +
                                     did_you_mean(arguments.agent, directory.agent_names()),
                                 "'weft list' shows who is"));
  }
  std::vector<wire::InstanceRecord> records;
  for (const auto* record : directory.all()) {
    if (has_ledger(*record)) records.push_back(*record);
  }
  std::vector<Pair> pairs;
  Books heard;
  for (int look = 0; look < kLooks; ++look) {
    const Books published = co_await ask_all(session, records, true);
    co_await sleep_for(session.loop(), kTelling);
    heard = co_await ask_all(session, records, false);
    pairs = pairs_of(published, heard, directory, arguments);
    if (is_settled(pairs)) break;
  }
  if (global.json)
    print_document(pairs, heard);
  else
    print_pairs(pairs);
  for (const auto& [record, error] : heard.silent) {
    Error named = error;
    named.message = record.agent + "@" + record.host + ": " + error.message;
    (void)complain(global, named);
  }
  co_return heard.silent.empty() ? kDone : kFailed;
}

}  // namespace

std::vector<Verb> ledger_verbs() {
  auto arguments = std::make_shared<LedgerArguments>();
  return {{.name = "ledger",
           .summary = "Show what became of every publication: sent, received, dropped and why",
           .examples = {"weft ledger", "weft ledger digest --topic 'host.*.metrics'", "weft ledger --json"},
           .options = {text("agent", arguments->agent, "AGENT", "Only what it published or heard"),
                       text("--topic", arguments->topic, "PATTERN", "Only topics that match")},
           .run = [arguments](const Global& global) {
             if (auto fine = TopicPattern::parse(arguments->topic); !fine) return fail(global, fine.error());
             return run_in_mesh(global, [&](Session& session) { return ledger(session, *arguments); });
           }}};
}

}  // namespace weft::cli
