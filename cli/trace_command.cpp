// weft trace: one call as a tree of spans, from all processes that took part.
#include "cli/span_survey.hpp"
#include "cli/target.hpp"

namespace weft::cli {

namespace {

constexpr int kAsksMax = 10;  // looks until every callee has told its span
constexpr Duration kAskPause = 50ms;

struct TraceArguments {
  std::string target, payload = "{}", trace_id;
  bool raw = false;
};

Task<Collected> collect(Session& session, observe::TraceId trace) {
  peer::SpansRequest request;
  request.trace_id = observe::to_hex(trace);
  for (int asked = 1;; ++asked) {
    Collected found = co_await ask_spans(session, request);
    if (asked == kAsksMax || !misses_callee(found.spans)) co_return found;
    co_await sleep_for(session.loop(), kAskPause);
  }
}

void print_tree(const observe::TraceId& trace, const Collected& found) {
  std::set<std::string_view> processes;
  for (const auto& one : found.spans) processes.insert(one.process);
  const auto some = [](std::size_t count, const char* one, const char* many) {
    return std::to_string(count) + (count == 1 ? one : many);
  };
  print_line("trace " + observe::to_hex(trace) + "  " + some(found.spans.size(), " span of ", " spans of ") +
             some(processes.size(), " process", " processes"));
  Table table({"SPAN", "WHERE", "TOTAL", "WIRE", "QUEUE", "HANDLER", "OUTCOME"});
  const auto cell = [](bool has, Duration duration) { return has ? short_duration(duration) : std::string("-"); };
  for (const auto& row : trace_rows(found.spans)) {
    table.add({std::string(2 * row.level, ' ') + printable(row.name), printable(row.where), short_duration(row.total),
               cell(row.has_wire, row.wire), cell(row.has_handler, row.queue), cell(row.has_handler, row.handler),
               printable(row.outcome)});
  }
  table.print();
}

Value document(const observe::TraceId& trace, const Collected& found) {
  Value out;
  out.set("trace_id", observe::to_hex(trace));
  Value::List spans, silent;
  for (const auto& one : found.spans) {
    Value span = to_value(one.span);
    span.set("process", one.process);
    spans.push_back(std::move(span));
  }
  for (const auto& process : found.silent) silent.emplace_back(process);
  out.set("spans", std::move(spans));
  out.set("more", found.more);
  out.set("silent", std::move(silent));
  return out;
}

Task<int> trace_call(Session& session, Target target, wire::Payload payload) {
  const Global& global = session.global();
  const auto root = session.tracer().start_sampled();
  calls::CallOptions options(global.timeout);
  options.host = target.host;
  options.trace.trace_id = root.trace_id;  // no span id: the call is the root
  options.trace.flags = root.flags;
  const auto reply = co_await session.mesh().call(target.text(), std::move(payload), options);
  const Collected found = co_await collect(session, root.trace_id);
  if (global.json) {
    Value all = document(root.trace_id, found);
    if (reply) {
      all.set("answer", shown(*reply));
    } else {
      all.set("error", error_document(reply.error())["error"]);
    }
    print_json(all);
    co_return reply ? kDone : complain(global, reply.error());
  }
  print_tree(root.trace_id, found);
  tell_gaps(global, found);
  if (!reply) co_return fail(global, reply.error());
  co_return kDone;
}

Task<int> show(Session& session, observe::TraceId trace) {
  const Collected found = co_await collect(session, trace);
  if (found.spans.empty()) {
    co_return fail(session.global(),
                   Error(codes::trace_unknown, "no process has a span of trace " + observe::to_hex(trace) +
                                                   " any more: each keeps its last " +
                                                   std::to_string(observe::Tracer::kSpansMax)));
  }
  if (session.global().json) {
    print_json(document(trace, found));
  } else {
    print_tree(trace, found);
    tell_gaps(session.global(), found);
  }
  co_return kDone;
}

int run_call(const Global& global, const TraceArguments& arguments) {
  auto target = parse_target(arguments.target);
  if (!target) return fail(global, target.error());
  auto payload = read_payload(arguments.payload, arguments.raw);
  if (!payload) return fail(global, payload.error());
  return run_in_mesh(
      global, [&](Session& session) { return trace_call(session, *target, *payload); }, Session::Role::tracer);
}

int run_show(const Global& global, const TraceArguments& arguments) {
  const auto trace = observe::trace_id_from(arguments.trace_id);
  if (!trace) return fail(global, Error(codes::bad_usage, trace.error().message, trace.error().hint));
  return run_in_mesh(
      global, [&](Session& session) { return show(session, *trace); }, Session::Role::tracer);
}

}  // namespace

std::vector<Verb> trace_verbs() {
  auto arguments = std::make_shared<TraceArguments>();
  return {
      {.name = "trace",
       .summary = "See where the time of one call goes",
       .verbs = {
           {.name = "call",
            .summary = "Call a method, and print the tree of all that was done for it",
            .examples = {R"(weft trace call echo.delay '{"ms": 20}')", "weft trace call digest.summary --json"},
            .options = {text("target", arguments->target, "AGENT.METHOD[@HOST]",
                             "The method, and the host when any will not do")
                            .required(),
                        text("payload", arguments->payload, "PAYLOAD",
                             "JSON; '-' reads it from stdin; {} when left out"),
                        flag("--raw", arguments->raw, "Send the payload's bytes as they are")},
            .run = [arguments](const Global& global) { return run_call(global, *arguments); }},
           {.name = "show",
            .summary = "Print what the processes still have of a trace",
            .examples = {"weft trace show 4bf92f3577b34da6a3ce929d0e0e4736"},
            .options = {text("trace", arguments->trace_id, "ID", "Its id, as logs and exemplars have it").required()},
            .run = [arguments](const Global& global) { return run_show(global, *arguments); }}}}};
}

}  // namespace weft::cli
