"""Traces of real processes: what a collector gets, what `weft trace` shows, what a histogram points to."""
import json
import unittest
import urllib.request

from tests.support.collector import Collector, attributes
from tests.support.mesh import Mesh
from tests.support.waiting import eventually

AGENTS = {"echo": {"on": ["alpha"]}, "relay": {"on": ["alpha"], "program": "weft-echo"}}
DELAY = {"target": "echo.delay", "payload": {"ms": 20}}
FAIL = {"target": "echo.fail", "payload": {"kind": "invalid", "code": "WEFT-1001"}}
CLIENT, SERVER = 3, 2


class Export(unittest.TestCase):
    def setUp(self):
        self.collector = Collector()
        self.addCleanup(self.collector.close)

    def mesh(self, **variables):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"} | variables
        mesh = Mesh(AGENTS, environment=environment)
        mesh.__enter__()
        self.addCleanup(mesh.__exit__)
        return mesh

    def test_one_call_through_two_agents_is_one_connected_trace_at_the_collector(self):
        mesh = self.mesh(OTEL_EXPORTER_OTLP_HEADERS="x-tenant=lab")
        mesh.weft("call", "relay.relay", json.dumps(DELAY))
        # a renewal that failed while the mesh started is exported too
        spans = eventually(lambda: len(found := [(resource, span) for resource, span in self.collector.spans()
                                                 if resource["service.name"] in ("relay", "echo")]) >= 3 and found, what="three spans")
        by_name = {(resource["service.name"], span["name"], span["kind"]): span for resource, span in spans}
        self.assertEqual({("relay", "relay.relay", SERVER), ("relay", "echo.delay", CLIENT), ("echo", "echo.delay", SERVER)}, set(by_name))
        relay, call, echo = (by_name[key] for key in (("relay", "relay.relay", SERVER), ("relay", "echo.delay", CLIENT), ("echo", "echo.delay", SERVER)))
        self.assertEqual(1, len({span["traceId"] for span in by_name.values()}))
        self.assertNotIn("parentSpanId", relay)
        self.assertEqual((relay["spanId"], call["spanId"]), (call["parentSpanId"], echo["parentSpanId"]))
        self.assertEqual("echo@alpha", attributes(call)["weft.peer"])
        took = [int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) for span in (relay, call, echo)]
        self.assertGreaterEqual(took[2], 20_000_000)
        self.assertEqual(sorted(took, reverse=True), took)
        resource = next(resource for resource, span in spans if span is echo)
        self.assertEqual("alpha", resource["host.name"])
        self.assertEqual(26, len(resource["service.instance.id"]))
        path, headers, _ = self.collector.requests[0]
        self.assertEqual(("/v1/traces", "application/json", "lab"), (path, headers["Content-Type"], headers["x-tenant"]))

    def test_a_failure_is_exported_whole_though_nothing_is_sampled(self):
        mesh = self.mesh(OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0")
        mesh.weft("call", "relay.relay", json.dumps(DELAY))
        mesh.weft("call", "relay.relay", json.dumps(FAIL), check=False)
        spans = eventually(lambda: len(found := self.collector.spans()) >= 3 and found, what="three spans")
        self.assertEqual(["echo.fail", "echo.fail", "relay.relay"], sorted(span["name"] for _, span in spans))
        self.assertEqual(1, len({span["traceId"] for _, span in spans}))
        for _, span in spans:
            self.assertEqual({"code": 2, "message": "WEFT-1001"}, span["status"])

    def test_a_collector_that_fails_gets_the_spans_later_and_the_processes_end_in_time(self):
        self.collector.refusals = [503, 429]
        mesh = self.mesh()
        mesh.weft("call", "relay.relay", json.dumps(DELAY))
        eventually(lambda: len({span["spanId"] for _, span in self.collector.spans()}) == 3 and not self.collector.refusals, 20, "the spans")
        mesh.weft("call", "echo.echo", "{}")
        self.assertEqual(0, mesh.stop("alpha"))
        self.assertIn("echo.echo", {span["name"] for _, span in self.collector.spans()})

    def test_a_latency_histogram_points_to_a_trace_where_openmetrics_is_asked_for(self):
        mesh = self.mesh()
        mesh.weft("call", "echo.delay", '{"ms": 20}')
        admin = next(one["admin"] for one in mesh.json("list") if one["agent"] == "echo")
        request = urllib.request.Request(f"http://{admin}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        line = next(line for line in lines if line.startswith("weft_request_duration_seconds_bucket") and "trace_id" in line)
        trace = line.split('trace_id="')[1][:32]
        spans = eventually(lambda: [span for _, span in self.collector.spans() if span["traceId"] == trace], what="the trace of the exemplar")
        self.assertEqual("echo.delay", spans[0]["name"])


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ear = {"on": ["alpha"], "program": "weft-echo", "config": {"hear": "echo.#"}}
        cls.mesh = Mesh(AGENTS | {"ear": ear})
        cls.mesh.__enter__()
        cls.addClassCleanup(cls.mesh.__exit__)

    def test_weft_trace_prints_the_tree_of_a_call_with_its_times(self):
        lines = self.mesh.weft("trace", "call", "relay.relay", json.dumps(DELAY)).stdout.splitlines()
        self.assertRegex(lines[0], r"^trace [0-9a-f]{32}  4 spans of 3 processes$")
        self.assertEqual("SPAN WHERE TOTAL WIRE QUEUE HANDLER OUTCOME".split(), lines[1].split("\t"))
        rows = [line.split("\t") for line in lines[2:]]
        self.assertEqual([("relay.relay", "relay@alpha", "ok"), ("  echo.delay", "echo@alpha", "ok")], [(row[0], row[1], row[-1]) for row in rows])
        self.assertRegex(rows[1][5], r"^[2-9]\d(\.\d)?ms$")

    def test_weft_trace_as_json_has_every_span_and_the_answer_and_finds_it_again(self):
        done = self.mesh.json("trace", "call", "relay.relay", json.dumps(DELAY))
        self.assertEqual(({"ms": 20}, [], 0), (done["answer"], done["silent"], done["more"]))
        spans = {(one["process"], one["kind"]): one for one in done["spans"]}
        chain = [("cli", "client"), ("relay@alpha", "server"), ("relay@alpha", "client"), ("echo@alpha", "server")]
        self.assertEqual(set(chain), set(spans))
        self.assertEqual(["", *(spans[one]["span_id"] for one in chain[:-1])], [spans[one]["parent_id"] for one in chain])
        took = [spans[one]["duration_ns"] for one in chain]
        self.assertEqual(sorted(took, reverse=True), took)
        again = self.mesh.json("trace", "show", done["trace_id"])
        self.assertEqual(3, len(again["spans"]))  # all but the one of the command that has ended

    def test_what_is_published_for_a_call_is_below_it(self):
        done = self.mesh.json("trace", "call", "echo.burst", '{"count": 3}')
        spans = done["spans"]
        server = next(one for one in spans if one["kind"] == "server")
        published = [one for one in spans if one["kind"] == "producer"]
        self.assertEqual([("echo.alpha.burst", server["span_id"])] * 3, [(one["name"], one["parent_id"]) for one in published])

        def consumers():
            shown = self.mesh.json("trace", "show", done["trace_id"])["spans"]
            found = [one for one in shown if one["kind"] == "consumer"]
            return found if len(found) == 3 else None

        heard = eventually(consumers, what="what was published is heard")
        self.assertEqual({("ear@alpha", "echo.alpha.burst")}, {(one["process"], one["name"]) for one in heard})
        self.assertEqual({one["span_id"] for one in published}, {one["parent_id"] for one in heard})

    def logged(self, agent, msg):
        (log,) = self.mesh.folder.rglob(f"log/{agent}.log")
        return [line for line in map(json.loads, log.read_text().splitlines()) if line["msg"] == msg]

    def test_an_actor_that_is_asked_by_a_handler_calls_and_logs_in_its_trace(self):
        done = self.mesh.json("trace", "call", "relay.relay", json.dumps({**DELAY, "by_actor": True}))
        spans = {(one["process"], one["kind"]): one for one in done["spans"]}
        self.assertEqual({("cli", "client"), ("relay@alpha", "server"), ("relay@alpha", "client"), ("echo@alpha", "server")}, set(spans))
        self.assertEqual(spans["relay@alpha", "server"]["span_id"], spans["relay@alpha", "client"]["parent_id"])
        lines = self.logged("relay", "an actor has called")
        self.assertEqual([(done["trace_id"], spans["relay@alpha", "server"]["span_id"], "01")],
                         [(line["trace_id"], line["span_id"], line["trace_flags"]) for line in lines])

    def test_a_handler_that_throws_is_logged_and_reported_with_its_trace_and_message(self):
        done = self.mesh.json("trace", "call", "echo.throw", check=False)
        (line,) = self.logged("echo", "a handler threw")
        self.assertEqual(done["trace_id"], line["trace_id"])
        self.assertEqual([done["trace_id"]], [one["trace_id"] for one in self.mesh.json("why", "message", line["message"])["messages"]])
        reports = lambda: [one["event"] for one in self.mesh.json("errors", "list", "--events") if one["event"]["code"] == "WEFT-2008"]
        events = eventually(reports, what="the report")
        self.assertEqual([done["trace_id"]], [one["trace_id"] for one in events])
        self.assertIn("a handler of throw threw: ", self.mesh.weft("errors", "list").stdout)

    def test_what_a_handler_reports_has_its_trace(self):
        done = self.mesh.json("trace", "call", "echo.report", '{"code": "TRACED"}')
        reports = lambda: [one["event"] for one in self.mesh.json("errors", "list", "--events") if one["event"]["code"] == "TRACED"]
        self.assertEqual([done["trace_id"]], [one["trace_id"] for one in eventually(reports, what="the report")])

    def test_a_failed_call_is_shown_with_where_it_failed(self):
        done = self.mesh.weft("trace", "call", "relay.relay", json.dumps(FAIL), check=False)
        self.assertEqual(1, done.returncode)
        rows = [line.split("\t") for line in done.stdout.splitlines()[2:]]
        self.assertEqual([("relay.relay", "WEFT-1001"), ("  echo.fail", "WEFT-1001")], [(row[0], row[-1]) for row in rows])
        self.assertIn("WEFT-1001", done.stderr)
        done = self.mesh.json("trace", "call", "ehco.fail", check=False)
        self.assertEqual("WEFT-2003", done["error"]["code"])
        self.assertEqual(["WEFT-2003"], [span["error"] for span in done["spans"]])

    def test_why_message_tells_what_became_of_the_messages_of_a_trace_and_of_each(self):
        done = self.mesh.json("trace", "call", "relay.relay", json.dumps(DELAY))
        first, second = self.mesh.json("why", "message", done["trace_id"])["messages"]
        self.assertEqual(["relay.relay", "echo.delay"], [first["name"], second["name"]])
        self.assertEqual(["sent", "received", "handled"], [step["step"] for step in first["steps"]])  # its sender has ended
        steps = second["steps"]
        self.assertEqual([("sent", "relay@alpha"), ("received", "echo@alpha"), ("handled", "echo@alpha"), ("ended", "relay@alpha")],
                         [(step["step"], step["where"]) for step in steps])
        self.assertEqual("to echo@alpha: the only one that could take it, of 1", steps[0]["what"])
        self.assertRegex(steps[-1]["what"], "^ok, after [0-9.]+ms$")
        client = next(one for one in done["spans"] if one["kind"] == "client" and one["process"] == "relay@alpha")
        self.assertEqual(client["message"], second["message"])
        (again,) = self.mesh.json("why", "message", second["message"])["messages"]
        self.assertEqual(self.without_times(second), self.without_times(again))
        lines = self.mesh.weft("why", "message", second["message"]).stdout.splitlines()
        self.assertEqual(f"echo.delay  message {second['message']}  trace {done['trace_id']}", lines[0])
        self.assertEqual("STEP AT WHERE WHAT".split(), lines[1].split("\t"))
        self.assertEqual(6, len(lines))

    def without_times(self, story):
        """A time is told by the wall clock of the moment: asked again it may differ by what that was put right meanwhile."""
        return {**story, "steps": [{key: value for key, value in step.items() if key != "at"} for step in story["steps"]]}

    def test_a_trace_that_nobody_has_is_told(self):
        done = self.mesh.weft("trace", "show", "4bf92f3577b34da6a3ce929d0e0e4736", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("no process has a span", done.stderr)
        self.assertEqual(2, self.mesh.weft("trace", "show", "4bf9", check=False).returncode)

    def test_what_a_process_remembers_is_found_by_message_too(self):
        done = self.mesh.json("trace", "call", "echo.echo")
        span = next(one for one in done["spans"] if one["kind"] == "server")
        found = self.mesh.json("call", "echo._spans", json.dumps({"message_id": span["message_id"]}))
        self.assertIn(span["span_id"], [one["span_id"] for one in found["spans"]])


if __name__ == "__main__":
    unittest.main()
