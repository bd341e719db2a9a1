"""The shipped agents as real processes: they do their work, tell it, and live through bad input."""
import http.server
import os
import signal
import socket
import threading
import unittest

from tests.support.mesh_client import CallFailed
from tests.support.mesh_processes import Mesh, Process, PROGRAMS, free_ports
from tests.support.waiting import eventually


class AgentsCase(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def call(self, target, payload=None, **options):
        return self.mesh.client.call(target, payload, **options)

    def fails(self, target, payload=None, **options):
        """The error that the call is answered with."""
        with self.assertRaises(CallFailed) as caught:
            self.call(target, payload, **options)
        return caught.exception


class Figures(AgentsCase):
    def test_digest_answers_for_the_machine_figures_of_two_hosts(self):
        for host in ("alpha", "beta"):
            self.mesh.join("sysmon", "agent.period=200ms", host=host)
        self.mesh.join("digest")
        eventually(lambda: {host["host"] for host in self.call("digest.hosts")} == {"alpha", "beta"}, what="digest hears both hosts")

        def of_both():
            hosts = self.call("digest.summary", {"series": "cpu.busy"})["hosts"]
            return hosts if all(hosts.get(host, {}).get("cpu.busy", {}).get("count", 0) >= 5 for host in ("alpha", "beta")) else None
        for series in eventually(of_both, what="five values of each host").values():
            busy = series["cpu.busy"]
            self.assertTrue(0 <= busy["min"] <= busy["p50"] <= busy["p95"] <= busy["max"] <= 1, busy)
        hour = self.call("digest.summary", {"host": "beta", "series": "memory.#", "window": "1h"})["hosts"]["beta"]
        self.assertTrue(0 < hour["memory.used_ratio"]["mean"] < 1, hour)

    def test_a_snapshot_is_of_this_machine(self):
        self.mesh.join("sysmon", "agent.period=100ms")
        figures = eventually(lambda: next((s for s in [self.call("sysmon.snapshot")] if s["interval"] > 0), None))
        self.assertEqual("alpha", figures["host"])
        self.assertEqual(os.sysconf("SC_PAGESIZE") * os.sysconf("SC_PHYS_PAGES"), figures["memory"]["total"])
        self.assertEqual(os.cpu_count(), len(figures["cpu"]["cores"]))
        self.assertEqual(["/"], [system["path"] for system in figures["filesystems"]])
        self.assertLessEqual(len(figures["processes"]), 5)

    def test_a_crossed_threshold_is_reported_once_at_each_crossing(self):
        thresholds = "[{name: up, series: load.tasks, above: 0, severity: critical}, {name: never, series: load.tasks, below: 0}]"
        self.mesh.join("digest", f"agent.thresholds={thresholds}")
        self.mesh.join("sysmon", "agent.period=100ms")
        eventually(lambda: self.call("digest.summary", {"series": "load.tasks"})["hosts"].get("alpha", {}).get("load.tasks", {}).get("count", 0) > 5)
        reported = eventually(lambda: self.mesh.bus.events(code="THRESHOLD_CROSSED"))
        self.assertEqual([("critical", "up", "alpha")],
                         [(event["severity"], event["values"]["threshold"], event["values"]["machine"]) for event in reported])

    def test_mistakes_of_a_request_are_told(self):
        self.mesh.join("digest")
        self.assertEqual("UNKNOWN_HOST", self.fails("digest.summary", {"host": "nobody"}).code)
        self.assertIn("did you mean 'host'", self.fails("digest.summary", {"hots": "alpha"}).message)
        self.assertIn("1m, 5m or 1h", self.fails("digest.summary", {"window": "2m"}).message)
        self.assertEqual([], self.call("digest.hosts"))


class Logs(AgentsCase):
    RULES = "[{name: trouble, pattern: 'ERROR (?P<number>[0-9]+)', severity: error, category: app, rate: 10000, burst: 10000}]"

    def setUp(self):
        super().setUp()
        self.log = self.mesh.folder / "app.log"

    def watch(self, *settings):
        return self.mesh.join("logwatch", f"agent.files=[{self.mesh.folder}/app.log]", f"agent.rules={self.RULES}", "agent.rescan=200ms", *settings)

    def write(self, *numbers):
        with self.log.open("a") as out:
            out.writelines(f"fine\nERROR {number} here\n" for number in numbers)

    def numbers(self):
        return sorted(int(event["values"]["number"]) for event in self.mesh.bus.events(code="LOG_MATCH"))

    def await_numbers(self, wanted):
        eventually(lambda: self.numbers() == sorted(wanted), what=f"the bus has {len(wanted)} matches")

    def test_a_match_is_reported_and_published(self):
        self.watch()
        events = self.mesh.client.subscribe("logwatch", "log.alpha.")
        eventually(lambda: self._written_and_seen(events), what="a match is published")
        event = self.mesh.bus.events(code="LOG_MATCH")[0]
        self.assertEqual(("error", "app", str(self.log)), (event["severity"], event["category"], event["values"]["path"]))

    def _written_and_seen(self, events):
        self.write(1)  # the subscription may be late
        try:
            topic, match = events.next(0.2)
        except TimeoutError:
            return False
        self.assertEqual(("log.alpha.trouble", "ERROR 1 here", {"number": "1"}), (topic, match["line"], match["groups"]))
        return eventually(lambda: self.mesh.bus.events(code="LOG_MATCH"))

    def test_rotation_truncation_and_restarts_lose_nothing_and_tell_nothing_twice(self):
        first = self.watch()
        self.write(1, 2)
        self.await_numbers([1, 2])
        self.log.rename(self.mesh.folder / "app.log.1")
        self.write(3)
        self.await_numbers([1, 2, 3])
        self.log.write_text("")
        self.write(4)
        self.await_numbers([1, 2, 3, 4])
        self.assertEqual(0, first.stop())
        self.write(5)
        self.log.rename(self.mesh.folder / "app.log.2")
        self.write(6)
        second = self.watch()
        self.await_numbers([1, 2, 3, 4, 5, 6])
        self.assertEqual(0, second.stop())

    def test_a_kill_loses_nothing(self):
        process = self.watch()
        self.write(*range(100))
        self.await_numbers(range(100))
        process.stop(signal.SIGKILL)
        self.write(*range(100, 200))
        self.watch()
        eventually(lambda: set(self.numbers()) == set(range(200)))

    def test_a_flood_is_held_to_its_rate_and_counted(self):
        rules = "[{name: flood, pattern: ERROR, rate: 1, burst: 5}]"
        self.mesh.join("logwatch", f"agent.files=[{self.log}]", f"agent.rules={rules}", "agent.rescan=200ms")
        self.write(*range(1000))

        def counted():
            told = len(self.mesh.bus.events(code="LOG_MATCH"))
            return told and told + sum(event["values"]["count"] for event in self.mesh.bus.events(code="LOG_SUPPRESSED")) == 1000
        eventually(counted, what="every match is told or counted")
        self.assertLess(len(self.mesh.bus.events(code="LOG_MATCH")), 20)

    def test_broken_positions_are_told_and_the_work_goes_on(self):
        state = self.mesh.folder / "alpha/agents/logwatch"
        state.mkdir(parents=True)
        (state / "positions.json").write_text("{broken")
        self.watch()
        self.write(1)
        self.await_numbers([1])
        self.assertEqual(1, len(self.mesh.bus.events(code="POSITIONS_LOST")))


class Targets(AgentsCase):
    def state(self, target):
        return next(status["state"] for status in self.call("probe.targets") if status["target"] == target)

    def test_a_target_that_goes_and_comes_is_reported_once_each(self):
        port, = free_ports(1)
        targets = f"[{{name: door, tcp: '127.0.0.1:{port}', severity: critical}}]"
        listener = socket.create_server(("127.0.0.1", port))
        self.mesh.join("probe", f"agent.targets={targets}", "agent.period=100ms", "agent.rise=1", "agent.fall=2")
        eventually(lambda: self.state("door") == "up")
        listener.close()
        eventually(lambda: self.state("door") == "down")
        with socket.create_server(("127.0.0.1", port)):
            eventually(lambda: self.state("door") == "up")
        self.assertEqual("down", eventually(lambda: self._changed_to("down")))
        reports = eventually(lambda: next((all_ for all_ in [self.mesh.bus.events(category="network")] if len(all_) >= 2), None))
        self.assertEqual([("TARGET_DOWN", "critical"), ("TARGET_UP", "info")], [(r["code"], r["severity"]) for r in reports][:2])

    def _changed_to(self, state):
        return state if self.state("door") == state else None

    def test_an_http_target_is_judged_by_status_and_text(self):
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(500 if self.path == "/broken" else 200)
                self.end_headers()
                self.wfile.write(b"all is well")

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        base = f"http://127.0.0.1:{server.server_port}"
        targets = f"[{{name: good, http: '{base}/'}}, {{name: broken, http: '{base}/broken'}}, {{name: text, http: '{base}/', contains: absent}}]"
        self.mesh.join("probe", f"agent.targets={targets}", "agent.period=1h", "agent.fall=1")
        self.assertTrue(self.call("probe.check", {"target": "good"})["good"])
        self.assertEqual("answered with status 500", self.call("probe.check", {"target": "broken"})["error"])
        self.assertIn("does not contain 'absent'", self.call("probe.check", {"target": "text"})["error"])
        self.assertIn("did you mean 'good'", self.fails("probe.check", {"target": "god"}).message)

    def test_many_targets_are_each_checked(self):
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
            port = listener.getsockname()[1]
            names = [f"t{number}" for number in range(2000)]
            layer = "agent:\n  period: 500ms\n  publish: change\n  targets:\n" + "".join(
                f"    - {{name: {name}, tcp: '127.0.0.1:{port}'}}\n" for name in names)
            accepting = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            accepting.start()
            self.mesh.join("probe", config=self.mesh.config_with("probe", layer))
            eventually(lambda: all(status["state"] == "up" for status in self.call("probe.targets")), seconds=20, what="all 2000 are up")
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()

    @staticmethod
    def _accept(listener):
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return


class EchoTool(AgentsCase):
    def setUp(self):
        super().setUp()
        self.process = self.mesh.join("echo")

    def test_it_answers_delays_and_sizes(self):
        self.assertEqual(b"any\0bytes\xff", self.call("echo.echo", raw=b"any\0bytes\xff"))
        self.assertEqual({"deep": [1, None, "x"]}, self.call("echo.echo", {"deep": [1, None, "x"]}))
        self.assertEqual({"ms": 20}, self.call("echo.delay", {"ms": 20}))
        for size in (0, 1, 8 * 1024 * 1024):
            self.assertEqual(size, len(self.call("echo.size", {"bytes": size})))

    def test_it_fails_as_wanted_and_lives_on(self):
        wanted = self.fails("echo.fail", {"kind": "denied", "code": "MY_CODE", "message": "not today"})
        self.assertEqual(("denied", "MY_CODE", "not today"), (wanted.kind, wanted.code, wanted.message))
        self.assertEqual("WEFT-2008", self.fails("echo.throw", {"message": "boo"}).code)
        for target, payload in (("fail", {"kind": "odd"}), ("delay", {"ms": -1}), ("delay", {"sm": 1}), ("size", {"bytes": 1 << 40}), ("burst", {"count": -1}),
                                ("burst", {"rate": -1.0}), ("report", {"severity": "bad"}), ("load", {"target": "x"}), ("load", {"target": "echo.echo", "seconds": 0})):
            with self.subTest(target=target, payload=payload):
                self.assertEqual("WEFT-2005", self.fails(f"echo.{target}", payload).code)
        self.assertEqual("WEFT-2005", self.fails("echo.delay", raw=b"\xc1\xc1").code)
        self.assertEqual("WEFT-2004", self.fails("echo.nothing").code)
        self.assertEqual({"ms": 0}, self.call("echo.delay"))

    def test_a_burst_arrives_whole_and_in_order(self):
        events = self.mesh.client.subscribe("echo", "echo.alpha.burst\0")
        eventually(lambda: self._burst_of_one_arrives(events))
        self.assertEqual(5000, self.call("echo.burst", {"count": 5000, "size": 100})["count"])
        self.assertEqual(list(range(1, 5001)), [events.next()[1]["number"] for _ in range(5000)])

    def _burst_of_one_arrives(self, events):
        self.call("echo.burst")
        try:
            return events.next(0.1)
        except TimeoutError:
            return False

    def test_numbered_errors_all_reach_the_bus(self):
        done = self.call("echo.report", {"count": 1000, "first": 11, "rate": 5000.0, "run": "a"})
        self.assertEqual(1000, done["count"])
        eventually(lambda: len(self.mesh.bus.events(code="ECHO_REPORT")) == 1000)
        self.assertEqual(list(range(11, 1011)), sorted(event["values"]["number"] for event in self.mesh.bus.events()))
        self.assertEqual(0, self.call("echo.report", {"count": 5, "run": "b", "background": True})["count"])
        eventually(lambda: len(self.mesh.bus.events()) == 1005)

    def test_load_is_measured(self):
        good = self.call("echo.load", {"target": "echo.echo", "rate": 1000.0, "seconds": 1.0})
        self.assertEqual((1000, 1000, 0), (good["sent"], good["ok"], good["failed"]))
        self.assertTrue(0 < good["p50_us"] <= good["p99_us"] <= good["max_us"], good)
        bad = self.call("echo.load", {"target": "nobody.home", "rate": 100.0, "seconds": 0.5})
        self.assertEqual((50, {"WEFT-2003": 50}), (bad["sent"], bad["errors"]))
        late = self.call("echo.load", {"target": "echo.delay", "rate": 100.0, "seconds": 0.5, "timeout_ms": 50, "payload": {"ms": 1000}})
        # After five in a row without an answer the circuit opens, and the others fail at once.
        self.assertEqual({"WEFT-2006", "WEFT-2014"}, set(late["errors"]))
        self.assertEqual(50, sum(late["errors"].values()))
        held = self.call("echo.load", {"target": "echo.delay", "rate": 100.0, "seconds": 0.5, "in_flight_max": 1, "payload": {"ms": 300}})
        self.assertEqual(50, held["sent"] + held["held_back"])

    def test_it_stops_in_time_with_work_under_way(self):
        self.call("echo.report", {"count": 1000000, "rate": 100.0, "background": True})
        self.assertEqual(0, self.process.stop())


class Mistakes(AgentsCase):
    def test_every_mistake_of_the_configuration_ends_with_78_and_says_what(self):
        for agent, setting, told in (
                ("sysmon", "agent.period=5", "500ms"), ("sysmon", "agent.perod=5s", "did you mean 'period'"),
                ("digest", "agent.thresholds=[{name: x, series: a..b, above: 1}]", "threshold 'x': series"),
                ("digest", "agent.thresholds=[{name: x, series: a}]", "wanted one of 'above' and 'below'"),
                ("logwatch", "agent.rules=[{name: x, pattern: '(x'}]", "rule 'x': pattern: missing )"),
                ("probe", "agent.targets=[{name: x, tcp: nowhere}]", "target 'x': tcp: wanted host:port"),
                ("echo", "agent.rate_max=0", "agent.rate_max")):
            with self.subTest(agent=agent, setting=setting):
                process = self.mesh.start(agent, setting, host=agent)
                self.assertEqual(78, process.wait())
                self.assertIn(told, process.log())
                (self.mesh.folder / f"{agent}-{agent}.log").unlink()

    def test_help_says_what_each_is(self):
        for agent in ("sysmon", "digest", "logwatch", "probe", "echo"):
            log = self.mesh.folder / "help.log"
            self.assertEqual(0, Process([PROGRAMS / f"weft-{agent}", "--help"], log).wait())
            self.assertIn("Usage: weft-" + agent, log.read_text())

    def test_a_launch_script_runs_one_agent_against_a_registry(self):
        folder = os.path.join(os.environ["WEFT_SOURCE"], "agents")
        for agent in ("sysmon", "digest", "logwatch", "probe", "echo"):
            with self.subTest(agent=agent):
                command = ["env", f"WEFT_PROGRAM_PATH={PROGRAMS}", f"{folder}/launch.sh", agent, self.mesh.registry, "--host", "solo",
                           "--set", "mesh.name=test", "--set", f"state.directory={self.mesh.folder}/solo", "--set", f"run.directory={self.mesh.folder}/run-solo"]
                process = Process(command, self.mesh.folder / f"{agent}-launched.log")
                self.mesh.processes.append(process)
                eventually(lambda: self.mesh.client.find(agent, "solo"), what=process.log())
                self.assertEqual(0, process.stop())


if __name__ == "__main__":
    unittest.main()
