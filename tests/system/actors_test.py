"""The actors of a real agent: where its handlers run, what `weft tree` shows, what its failures become."""
import json
import os
import pathlib
import signal
import subprocess
import unittest
import urllib.request

from tests.support.mesh_processes import Mesh
from tests.support.waiting import eventually

WEFT = pathlib.Path(os.environ["WEFT_BUILD"]) / "weft"


class Actors(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def call(self, target, payload=None, **options):
        return self.mesh.client.call(target, payload, **options)

    def tree(self, agent):
        return self.call(f"{agent}._tree")

    def actor(self, agent, name):
        return next(actor for actor in self.tree(agent)["actors"] if actor["name"] == name)

    def test_handlers_run_on_the_loop_unless_the_configuration_says_workers(self):
        self.mesh.join("echo")
        self.assertEqual("loop", self.tree("echo")["scheduler"])
        self.assertEqual({"a": 1}, self.call("echo.echo", {"a": 1}))

    def test_handlers_run_on_workers_where_the_configuration_says_so(self):
        self.mesh.join("echo", "actors.workers=2")
        self.assertEqual("2 workers", self.tree("echo")["scheduler"])
        self.assertEqual({"a": 1}, self.call("echo.echo", {"a": 1}))
        self.assertEqual({"ms": 20}, self.call("echo.delay", {"ms": 20}))
        done = self.call("echo.load", {"target": "echo.echo", "rate": 500, "seconds": 0.4, "payload": 1}, timeout=10)
        self.assertEqual((200, 0), (done["ok"], done["failed"]))
        self.assertEqual(50, self.call("echo.burst", {"count": 50})["count"])
        self.call("echo.report", {"count": 20, "code": "FROM_A_WORKER"})
        eventually(lambda: len(self.mesh.bus.events(code="FROM_A_WORKER")) == 20, what="20 reports at the bus")

    def test_an_agent_that_needs_its_loop_refuses_workers(self):
        process = self.mesh.start("logwatch", "actors.workers=2", "agent.files=[/dev/null]")
        self.assertEqual(78, process.wait())
        self.assertIn("actors.workers must be 0", process.log())

    def test_a_failed_actor_is_restarted_and_told_to_the_error_bus_with_its_restart_count(self):
        self.mesh.join("echo")
        self.call("echo.crash", {"times": 1, "message": "first"})
        eventually(lambda: self.actor("echo", "fragile")["restarts"] == 1, what="a restart")
        self.call("echo.crash", {"times": 1, "message": "second"})
        eventually(lambda: self.actor("echo", "fragile")["restarts"] == 2, what="another")
        events = eventually(lambda: (found := self.mesh.bus.events(code="WEFT-6010")) and len(found) == 2 and found)
        self.assertEqual([("fragile", "first", 0), ("fragile", "second", 1)],
                         sorted((event["values"]["actor"], event["values"]["what"], event["values"]["restarts"]) for event in events))
        self.assertEqual("running", self.actor("echo", "fragile")["state"])

    def test_an_actor_that_fails_too_often_is_given_up_and_shown_so(self):
        self.mesh.join("echo")
        self.call("echo.crash", {"times": 6})
        eventually(lambda: self.actor("echo", "fragile")["state"] == "failed", seconds=15, what="it is given up")
        given_up = eventually(lambda: self.mesh.bus.events(code="WEFT-6013"))
        self.assertEqual([("critical", 5)], [(event["severity"], event["values"]["restarts"]) for event in given_up])
        self.assertEqual({"a": 1}, self.call("echo.echo", {"a": 1}))

    def test_actors_have_metrics_in_sums_and_of_their_own_where_they_are_named(self):
        self.mesh.join("echo", "actors.metrics=[handlers]")
        admin = self.mesh.client.find("echo", "alpha")["admin"]
        self.call("echo.echo", 1)
        with urllib.request.urlopen(f"http://{admin}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        self.assertEqual(3, float(values["weft_actors"]))
        self.assertGreaterEqual(float(values["weft_actor_messages_handled_total"]), 1)
        self.assertEqual(20000, float(values['weft_mailbox_limit{actor="handlers"}']))
        self.assertNotIn('weft_mailbox_limit{actor="fragile"}', values)

    def test_weft_tree_prints_states_restarts_and_mailboxes(self):
        self.mesh.join("echo")
        self.call("echo.crash")
        eventually(lambda: self.actor("echo", "fragile")["restarts"] == 1)
        printed = self.weft("tree", "echo")
        self.assertIn("on loop", printed.splitlines()[0])
        rows = {line.split("\t")[0].strip(): line.split("\t") for line in printed.splitlines()[2:]}
        self.assertEqual(["supervisor", "running", "0", "0", "-"], [cell.strip() for cell in rows["root"][1:]])
        self.assertEqual(["weft::echo::Fragile", "running", "1", "0/1000", "-"], [cell.strip() for cell in rows["fragile"][1:]])
        self.assertEqual("echo", json.loads(self.weft("tree", "echo", "--json"))[0]["agent"])

    def test_weft_tree_tells_which_instance_does_not_answer_and_shows_the_others(self):
        self.mesh.join("echo")
        paused = self.mesh.join("echo", host="beta")
        paused.process.send_signal(signal.SIGSTOP)
        self.addCleanup(paused.process.send_signal, signal.SIGCONT)
        done = self.run_weft("tree", "echo", "--timeout", "300ms")
        self.assertEqual(1, done.returncode)
        self.assertIn("echo@alpha", done.stdout)
        self.assertIn("echo@beta", done.stderr)
        told = json.loads(self.run_weft("tree", "echo", "--timeout", "300ms", "--json").stdout)
        self.assertEqual(["alpha", "beta"], [entry["host"] for entry in told])
        self.assertIn("error", told[1])

    def test_weft_tree_says_where_an_agent_runs_when_it_is_asked_for_elsewhere(self):
        self.mesh.join("echo")
        done = self.run_weft("tree", "echo", "--host", "mars")
        self.assertEqual(1, done.returncode)
        self.assertIn("does not run on host 'mars', but on alpha", done.stderr)
        self.assertIn("registry@alpha has no actors", self.run_weft("tree", "registry").stderr)

    def run_weft(self, *words):
        return subprocess.run([WEFT, *words, "--registry", self.mesh.registry], capture_output=True, text=True, timeout=30)

    def weft(self, *words):
        done = self.run_weft(*words)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
