"""docs/examples/agent.py, an agent written from docs/protocol.md alone, under a node: every verb of weft takes it for one of its own."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

from tests.support.mesh import Mesh
from tests.support.waiting import eventually

ROOT = pathlib.Path(os.environ["WEFT_SOURCE"])
EXAMPLE = ROOT / "docs/examples/agent.py"
sys.path.insert(0, str(EXAMPLE.parent))
import agent  # noqa: E402
from client import call_at  # noqa: E402


class ExampleAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        agents = {"thermometer": {"program": str(EXAMPLE), "config": {"limit": 40}}, "echo": {}}
        cls.mesh = Mesh(agents)
        cls.mesh.__enter__()
        cls.addClassCleanup(cls.mesh.__exit__)

    def record(self):
        return next((one for one in self.mesh.json("list") if one["agent"] == "thermometer"), None)

    def another_instance(self):
        """After the present one has ended."""
        before = self.record()["instance"]
        return lambda: (self.record() or {"instance": before})["instance"] != before

    def test_it_is_called_by_name(self):
        self.assertEqual({"celsius": 21.5}, self.mesh.json("call", "thermometer.set", '{"celsius": 21.5}'))
        self.assertEqual({"celsius": 21.5}, self.mesh.json("call", "thermometer.read"))

    def test_errors_reach_the_caller_typed(self):
        wrong = self.mesh.weft("call", "thermometer.set", "{}", check=False)
        self.assertIn("WEFT-2005", wrong.stderr)
        unknown = self.mesh.weft("call", "thermometer.reed", check=False)
        self.assertIn("WEFT-2004", unknown.stderr)

    def test_ping_info_and_list_show_it(self):
        row = next(line for line in self.mesh.weft("ping").stdout.splitlines() if line.startswith("thermometer"))
        self.assertIn("serving", row)
        self.assertIn("1.0.0", row)
        info = self.mesh.weft("info", "thermometer").stdout
        self.assertIn("Sets the temperature", info)
        self.assertIn("thermometer.*.celsius", info)
        self.assertEqual("passing", self.record()["health"])

    def test_an_agent_without_ping_is_reachable_and_one_without_a_start_time_has_no_age(self):
        it = self.record()
        bare = {"mesh": it["mesh"], "host": "alpha", "agent": "bare", "instance": agent.ulid()[0], "call_endpoint": it["call_endpoint"]}
        call_at(self.mesh.hosts["alpha"].registry, "registry.register", bare)  # the thermometer answers NO_SUCH_METHOD for it
        answered = self.mesh.weft("ping", "bare").stdout.splitlines()[1].split("\t")
        self.assertEqual(["bare", "alpha"], answered[:2])
        self.assertEqual("serving", answered[-1])
        self.assertIn("round_trip_us", self.mesh.json("ping", "bare"))
        listed = next(line for line in self.mesh.weft("list").stdout.splitlines() if line.startswith("bare"))
        self.assertEqual(["bare", "alpha", "", "passing", "-", "0"], listed.split("\t")[:6])

    def test_its_events_come_in_sequence(self):
        done = self.mesh.weft("sub", "thermometer.*.celsius", "--count", "3", "--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(["thermometer.alpha.celsius"] * 3, [event["topic"] for event in events])
        numbers = [event["sequence"] for event in events]
        self.assertEqual([numbers[0], numbers[0] + 1, numbers[0] + 2], numbers)
        self.assertEqual([0] * 3, [event["missed"] for event in events])

    def test_what_it_reports_is_an_issue_with_its_values(self):
        self.mesh.json("call", "thermometer.set", '{"celsius": 99}')
        eventually(lambda: "warning: too hot" in self.mesh.weft("list").stdout, 5, "its record says how healthy it is")
        eventually(lambda: "99" in self.mesh.weft("errors", "list").stdout, what="the report is an issue")
        self.assertIn("THERMOMETER-1", self.mesh.weft("errors", "list").stdout)

    def test_the_mesh_is_even_although_it_has_no_release_of_weft(self):
        self.assertTrue(self.mesh.json("check", "versions")["even"])

    def test_it_is_restarted_when_it_is_killed(self):
        pid, restarted = self.record()["pid"], self.another_instance()
        os.kill(pid, 9)
        eventually(restarted, what="another instance has registered")
        self.assertIn("celsius", self.mesh.json("call", "thermometer.read"))

    def test_a_registry_that_restarts_gets_its_registration_again(self):
        registry = next(one for one in self.mesh.json("list") if one["agent"] == "registry")
        os.kill(registry["pid"], 9)
        eventually(lambda: self.mesh.weft("call", "thermometer.read", check=False).returncode == 0, what="it is called again")
        eventually(lambda: (self.record() or {}).get("confirmed"), what="its registration is confirmed")

    def test_a_later_claim_to_its_slot_fences_it_and_the_node_takes_the_slot_back(self):
        first, address = self.record(), self.mesh.addresses["alpha"]
        environment = os.environ | {"WEFT_HOST": "alpha", "WEFT_CLAIM": str(first.get("claim", 0) + 1),
                                    "WEFT__MESH__NAME": json.dumps(first["mesh"]), "WEFT__HOST__ADDRESS": json.dumps(address),
                                    "WEFT__REGISTRY__ADDRESSES": json.dumps([f"tcp://{address}:7411"])}
        intruder = subprocess.Popen([sys.executable, EXAMPLE], env=environment)
        self.addCleanup(intruder.wait)
        self.addCleanup(intruder.kill)
        self.assertEqual(75, intruder.wait(30))  # fenced in its turn: the node started the fenced one again
        eventually(lambda: (self.record() or first)["pid"] not in (first["pid"], intruder.pid), what="the node has started it again")

    def test_it_refuses_a_wrong_setting_with_78_and_a_wrong_command_line_with_64(self):
        for words, code in ((["--set", 'agent.limit="hot"'], 78), (["--set", "agent.limt=3"], 78), (["--port", "1"], 64)):
            with self.subTest(words):
                self.assertEqual(code, subprocess.run([sys.executable, EXAMPLE, *words], capture_output=True, timeout=30).returncode)


if __name__ == "__main__":
    unittest.main()
