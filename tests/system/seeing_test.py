"""What a mesh shows of itself: who is there and how far, live rates, load."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from tests.support.mesh_processes import CONFIG, Mesh
from tests.support.waiting import eventually

WEFT = pathlib.Path(os.environ["WEFT_BUILD"]) / "weft"


class Seeing(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def weft(self, *words, code=0):
        done = subprocess.run([str(WEFT), *words, "--registry", self.mesh.registry], capture_output=True, text=True, timeout=60)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done

    def test_ping_asks_everybody_and_tells_who_does_not_answer(self):
        self.mesh.join("echo")
        self.mesh.join("probe")
        lines = [json.loads(line) for line in self.weft("ping", "--json").stdout.splitlines()]
        self.assertEqual({"echo", "probe", "registry"}, {line["agent"] for line in lines})
        for line in lines:
            self.assertGreater(line["round_trip_us"], 0)
            self.assertGreater(line["process"]["pid"], 1)
        probe = next(line for line in lines if line["agent"] == "probe")["process"]["pid"]
        os.kill(probe, signal.SIGSTOP)
        try:
            done = self.weft("ping", "--timeout", "300ms", code=1)
        finally:
            os.kill(probe, signal.SIGCONT)
        self.assertIn("2 of 3 answered; missing: probe@", done.stderr)
        self.assertIn("no answer: DEADLINE_EXCEEDED", done.stdout)

    def test_ping_of_a_name_that_nobody_has_tells_the_nearest(self):
        self.mesh.join("echo")
        self.assertIn("did you mean 'echo'?", self.weft("ping", "ecko", code=1).stderr)

    def test_latency_tells_the_way_from_the_work(self):
        self.mesh.join("echo")
        shown = json.loads(self.weft("latency", "echo.delay", '{"ms": 5}', "--count", "20", "--json").stdout)
        self.assertGreater(shown["call"]["p50_us"], 5000)
        self.assertLess(shown["path"]["p50_us"], shown["call"]["p50_us"])
        self.assertIn("the way alone", self.weft("latency", "echo.echo", "--count", "3").stdout)

    def test_top_shows_rates_errors_and_what_is_in_flight(self):
        self.mesh.join("echo")
        with subprocess.Popen([str(WEFT), "bench", "call", "echo.delay", "--payload", '{"ms": 20}', "--outstanding", "8", "--duration", "30s",
                               "--registry", self.mesh.registry], stdout=subprocess.DEVNULL) as load:
            try:
                rows = [json.loads(line) for line in self.weft("top", "echo", "--count", "3", "--interval", "300ms", "--json").stdout.splitlines()]
            finally:
                load.send_signal(signal.SIGINT)
        busiest = max(rows, key=lambda row: row["requests_per_second"])
        self.assertGreater(busiest["requests_per_second"], 50)
        self.assertGreater(busiest["p99_seconds"], 0.019)
        self.assertEqual(0, busiest["errors_per_second"])
        self.assertIn("REQ/S", self.weft("top", "--count", "1", "--interval", "100ms").stdout)

    def test_bench_call_counts_what_failed_by_its_code(self):
        self.mesh.join("echo")
        good = json.loads(self.weft("bench", "call", "echo.echo", "--payload", "{}", "--duration", "300ms", "--json").stdout)
        self.assertGreater(good["calls"], 100)
        self.assertEqual({}, good["failures"])
        self.assertLessEqual(good["latency"]["p50_us"], good["latency"]["p99_us"])
        self.assertIn("NO_SUCH_METHOD", self.weft("bench", "call", "echo.ecko", "--duration", "100ms", code=1).stderr)

    def test_bench_call_at_a_rate_makes_as_many_calls_and_tells_what_failed_or_was_not_begun(self):
        self.mesh.join("echo")
        good = json.loads(self.weft("bench", "call", "echo.echo", "--rate", "400", "--duration", "500ms", "--json").stdout)
        self.assertEqual((200, 0, 0, 400), (good["calls"], good["failed"], good["held_back"], good["rate"]))
        self.assertAlmostEqual(0.5, good["seconds"], delta=0.2)
        slow = ("bench", "call", "echo.delay", "--payload", '{"ms": 400}', "--rate", "100", "--duration", "200ms", "--json")
        few = json.loads(self.weft(*slow, "--outstanding", "5", code=1).stdout)
        self.assertEqual((5, 15, 0), (few["calls"], few["held_back"], few["failed"]))
        self.mesh.join("narrow", "limits.in_flight_max=5", program="weft-echo")
        refused = json.loads(self.weft(*[word.replace("echo.", "narrow.") for word in slow], code=1).stdout)
        self.assertEqual((20, {"WEFT-2009": refused["failed"]}), (refused["calls"] + refused["failed"], refused["failures"]))
        self.assertGreater(refused["failed"], 0)

    def test_bench_queue_of_what_is_no_queue_says_so_at_once(self):
        self.mesh.join("echo")
        self.assertIn("agent 'echo' works on no queue 'echo'", self.weft("bench", "queue", "echo.echo", code=1).stderr)
        self.assertIn("works on no queue", self.weft("queue", "push", "echo.echo", code=1).stderr)

    def test_control_c_ends_a_bench_with_what_it_has_measured(self):
        self.mesh.join("echo")
        with subprocess.Popen([str(WEFT), "bench", "call", "echo.echo", "--duration", "1h", "--registry", self.mesh.registry],
                              stdout=subprocess.PIPE, text=True) as bench:
            eventually(lambda: json.loads(self.weft("top", "echo", "--count", "1", "--interval", "100ms", "--json").stdout)
                       ["requests_per_second"] > 50, what="the load runs")
            bench.send_signal(signal.SIGINT)
            self.assertRegex(bench.communicate(timeout=20)[0], r"^[1-9]\d* calls in ")
        self.assertEqual(0, bench.returncode)

    def test_bench_pub_hears_all_that_it_published_or_says_what_it_missed(self):
        self.mesh.join("echo")
        shown = json.loads(self.weft("bench", "pub", "bench.here", "--duration", "300ms", "--json").stdout)
        self.assertGreater(shown["published"], 1000)
        self.assertGreater(shown["delivered"], 0)
        self.assertLessEqual(shown["delivered"] + shown["missed"], shown["published"])

    def test_why_call_tells_where_a_call_goes_and_which_rules_hold(self):
        self.mesh.join("echo")
        self.mesh.join("probe")
        why = json.loads(self.weft("why", "call", "echo.echo", "--json").stdout)
        self.assertEqual([True], [one["chosen"] for one in why["instances"]])
        self.assertTrue(why["policy"])
        seen = json.loads(self.weft("why", "call", "echo.echo", "--from", "probe", "--json").stdout)
        self.assertTrue(seen["instances"][0]["local"])
        self.assertIn("echo.echo goes to", self.weft("why", "call", "echo.echo").stdout)
        self.assertIn("did you mean 'echo'?", self.weft("why", "call", "ecko.echo", code=1).stdout)
        self.assertIn("agent 'echo' has no method 'ecko', did you mean 'echo'?", self.weft("why", "call", "echo.ecko", code=1).stdout)
        self.assertRegex(self.weft("why", "call", "echo.echo@nowhere", code=1).stdout, "no live instance of agent 'echo' on host 'nowhere', but on [a-z]")

    def test_why_call_of_an_open_circuit_names_the_rule_and_its_place(self):
        self.mesh.join("echo")
        self.mesh.join("probe")
        self.weft("breaker", "open", "probe", "echo.echo")
        refused = self.weft("why", "call", "echo.echo", "--from", "probe", code=1).stdout
        self.assertIn("it was opened by hand", refused)
        self.assertIn("it opens by breaker.failures = 5 of '*' (built-in default)", refused)

    def test_new_policies_take_effect_with_hup_and_wrong_ones_change_nothing(self):
        folder = self.mesh.folder / "config"
        shutil.copytree(CONFIG, folder)
        echo = self.mesh.join("echo", config=folder)

        def timeout():
            why = json.loads(self.weft("why", "call", "echo.echo", "--from", "echo", "--json").stdout)
            return next((one["value"], one["where"].split("/")[-1]) for one in why["policy"] if one["key"] == "timeout")

        self.assertEqual(("5s", "built-in default"), timeout())
        (folder / "base.yaml").write_text("mesh: {policies: {echo: {timeout: 7s}}}\n")
        echo.process.send_signal(signal.SIGHUP)
        eventually(lambda: timeout()[0] == "7s" and timeout(), what="the new timeout holds")
        self.assertRegex(timeout()[1], r"^base.yaml:1:\d+$")
        (folder / "base.yaml").write_text("mesh: {policies: {echo: {timeout: soon}}}\n")
        echo.process.send_signal(signal.SIGHUP)
        eventually(lambda: "the old one stays" in echo.log(), what="the mistake is told")
        self.assertEqual("7s", timeout()[0])

    def message_in(self, text):
        return re.search(r"weft why message ([0-9a-f]{16}-\d+) tells", text).group(1)

    def story(self, message):
        (story,) = json.loads(self.weft("why", "message", message, "--json").stdout)["messages"]
        self.assertEqual(message, story["message"])
        return story

    def test_why_message_tells_why_a_call_was_refused_or_failed_by_the_id_in_its_error(self):
        self.mesh.join("echo")
        refused = self.story(self.message_in(self.weft("call", "echo.ecko", code=1).stderr))
        self.assertEqual((True, "dropped"), (refused["failed"], refused["steps"][-1]["step"]))
        self.assertEqual("refused before its handler: WEFT-2004 NO_SUCH_METHOD", refused["steps"][-1]["what"])
        failed = self.story(self.message_in(self.weft("call", "echo.fail", '{"kind": "invalid", "code": "WEFT-1001"}', code=1).stderr))
        self.assertEqual((True, "echo.fail", "handled"), (failed["failed"], failed["name"], failed["steps"][-1]["step"]))
        self.assertRegex(failed["steps"][-1]["what"], r"took .*: WEFT-1001 BAD_VALUE$")

    def test_why_message_finds_what_is_still_being_handled_after_its_caller_gave_up(self):
        self.mesh.join("echo")
        message = self.message_in(self.weft("call", "echo.delay", '{"ms": 60000}', "--timeout", "300ms", code=1).stderr)
        story = self.story(message)
        self.assertEqual("echo.delay", story["name"])
        self.assertIn("is being handled since", story["steps"][-1]["what"])

    def test_why_message_says_that_nobody_knows_a_message_and_that_an_id_is_none(self):
        self.mesh.join("echo")
        self.assertIn("no process knows '9f86d081884c7d65-5' any more", self.weft("why", "message", "9f86d081884c7d65-5", code=1).stderr)
        self.assertIn("wanted such as", self.weft("why", "message", "digest", code=2).stderr)

    def test_why_agent_shows_what_is_handled_and_who_waits(self):
        self.mesh.join("echo")
        with subprocess.Popen([str(WEFT), "call", "echo.delay", '{"ms": 3000}', "--timeout", "30s", "--registry", self.mesh.registry],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as waiting:
            try:
                found = eventually(lambda: json.loads(self.weft("why", "agent", "echo", "--json").stdout)["handles"], what="the call is shown")
            finally:
                waiting.send_signal(signal.SIGINT)
        self.assertEqual(["echo.delay"], [call["method"] for call in found])
        eventually(lambda: "nobody waits" in self.weft("why", "agent", "echo").stdout, what="the call is over")

    def test_why_topic_names_publishers_or_the_nearest_topic(self):
        self.mesh.join("echo")
        self.assertEqual(["echo"], [one["agent"] for one in json.loads(self.weft("why", "topic", "echo.#", "--json").stdout)["publishers"]])
        self.assertIn("did you mean 'echo.alpha.burst'?", self.weft("why", "topic", "ecko.alpha.burst", code=1).stdout)
        self.assertIn("did you mean 'echo.*.burst'?", self.weft("why", "topic", "echo.*.brust", code=1).stdout)


if __name__ == "__main__":
    unittest.main()
