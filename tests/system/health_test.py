"""Instances that are not well, and what the balancer, the registry and the commands do about them."""
import os
import pathlib
import signal
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

from tests.support.mesh import Mesh
from tests.support.mesh_client import Client
from tests.support.waiting import eventually, hold

RATE, SECONDS = 1000, 5


def echo_pids(mesh):
    return {host["host"]: row["pid"] for host in mesh.json("ps") for row in host.get("processes", []) if row["agent"] == "echo"}


class Frozen(unittest.TestCase):
    def test_calls_leave_a_frozen_instance_within_milliseconds_and_return_when_it_continues(self):
        agents = {"caller": {"program": "weft-echo", "on": ["alpha"]}, "echo": {}}
        with Mesh(agents, hosts=("alpha", "beta")) as mesh, Client(mesh.hosts["alpha"].registry) as client:
            pids = {}
            eventually(lambda: pids.update(echo_pids(mesh)) or len(pids) == 2, 10, "both hosts answer")
            eventually(lambda: client.find("echo", "beta"), 10, "alpha knows the other instance")
            outcome = []

            def run_load():
                request = {"target": "echo.echo", "host": "", "rate": RATE, "seconds": SECONDS, "timeout_ms": 1000}
                with Client(mesh.hosts["alpha"].registry) as own:
                    outcome.append(own.call("caller.load", request, timeout=SECONDS + 30))

            load = threading.Thread(target=run_load)
            load.start()
            hold(1)
            os.kill(pids["alpha"], signal.SIGSTOP)
            try:
                hold(1.7)  # shorter than its lease: the registry still lists it
            finally:
                os.kill(pids["alpha"], signal.SIGCONT)
            handled = lambda: client.call("echo._stats", {}, host="alpha")["requests"]
            before = handled()
            try:
                eventually(lambda: handled() > before + RATE // 4, 1, "calls return to the instance of the local host")
            finally:
                load.join(SECONDS + 40)
                print(outcome)
            self.assertLess(outcome[0]["failed"], RATE // 10)


class OwnWord(unittest.TestCase):
    AGENTS = {"caller": {"program": "weft-echo", "on": ["alpha"]}, "echo": {}}

    def setUp(self):
        self.mesh = Mesh(self.AGENTS, hosts=("alpha", "beta"))
        self.mesh.__enter__()
        self.addCleanup(self.mesh.__exit__)
        self.client = Client(self.mesh.hosts["alpha"].registry)
        self.addCleanup(self.client.__exit__)
        eventually(lambda: self.client.find("echo", "beta"), 10, "alpha knows the other instance")

    def requests(self, host):
        return self.client.call("echo._stats", {}, host=host)["requests"]

    def shares(self, count=40):
        """Calls of caller@alpha that each instance of echo answered."""
        before = {host: self.requests(host) for host in ("alpha", "beta")}
        request = {"target": "echo.echo", "host": "", "rate": 200, "seconds": count / 200, "timeout_ms": 1000}
        done = self.client.call("caller.load", request, timeout=30)
        self.assertEqual(0, done["failed"], done)
        return {host: self.requests(host) - before[host] for host in before}

    def says(self, state, text, host="alpha"):
        self.client.call("echo.health", {"state": state, "text": text}, host=host)

    def recorded(self):
        record = self.client.find("echo", "alpha")
        return record["health"], record["health_text"]

    def test_a_critical_agent_is_shown_as_such_and_its_calls_go_elsewhere_until_it_passes(self):
        self.assertGreater(self.shares()["alpha"], 35)
        self.says("critical", "out of paper")
        eventually(lambda: self.recorded() == ("critical", "out of paper"), 2, "the record has it")
        self.assertIn("critical: out of paper", self.mesh.weft("list").stdout)
        shown = self.mesh.weft("ps").stdout
        self.assertTrue([line for line in shown.splitlines() if line.startswith("alpha") and "critical" in line and "out of paper" in line], shown)
        why = self.mesh.weft("why", "call", "echo.echo", "--from", "caller").stdout
        self.assertIn("its health is critical: out of paper", why)
        self.assertGreaterEqual(self.shares()["beta"], 40)
        eventually(lambda: "WEFT-3006" in self.mesh.weft("errors", "list").stdout, 10, "it is on the error bus")
        for _ in range(4):
            self.assertIn("WEFT-3006", self.mesh.weft("errors", "list").stdout, "the hub is asked each time")
        self.says("pass", "")
        eventually(lambda: self.recorded() == ("passing", ""), 4, "the record has it")
        self.assertGreater(self.shares()["alpha"], 35)

    def test_where_all_are_critical_calls_still_arrive(self):
        for host in ("alpha", "beta"):
            self.says("critical", "wrong check", host)
        eventually(lambda: {record["health"] for record in self.client.records() if record["agent"] == "echo"} == {"critical"}, 2, "both are critical")
        self.assertEqual(40, sum(min(share, 40) for share in self.shares().values() if share > 5))

    def test_ps_names_the_hosts_of_the_fleet_that_are_not_in_the_mesh(self):
        eventually(lambda: self.mesh.weft("ps", check=False).returncode == 0, 10, "both hosts are in the mesh")
        self.mesh.stop("beta")
        eventually(lambda: self.client.find("node", "beta") is None, 10, "its node has left")
        done = self.mesh.weft("ps", check=False)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stdout, r"(?m)^beta\s+node\s+absent\s")
        self.assertRegex(done.stderr, "not in the mesh.*: beta")
        entry = self.mesh.json("ps", check=False)[-1]
        self.assertEqual(("beta", True, False), (entry["host"], entry["absent"], entry["answers"]))


class Checks(unittest.TestCase):
    def test_a_check_that_fails_again_and_again_makes_its_agent_critical_and_a_success_ends_that(self):
        with tempfile.TemporaryDirectory(prefix="weft-") as folder:
            file = pathlib.Path(folder, "there")
            file.touch()
            agents = {"echo": {"config": {"check_file": str(file), "check_interval": "100ms"}}}
            with Mesh(agents) as mesh, Client(mesh.hosts["alpha"].registry) as client:
                self.assertEqual("passing", client.find("echo")["health"])
                file.unlink()
                eventually(lambda: client.find("echo")["health"] == "critical", 5, "three runs have failed")
                self.assertEqual(f"file: {file} is missing", client.find("echo")["health_text"])
                admin = client.find("echo")["admin"]
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(f"http://{admin}/readyz", timeout=5)
                with refused.exception:
                    self.assertEqual(503, refused.exception.code)
                metrics = urllib.request.urlopen(f"http://{admin}/metrics", timeout=5).read().decode()
                self.assertIn('weft_health_state{check="file",state="critical"} 1', metrics)
                eventually(lambda: "WEFT-3006" in mesh.weft("errors", "list").stdout, 10, "it is on the error bus")
                file.touch()
                eventually(lambda: client.find("echo")["health"] == "passing", 5, "one run has succeeded")


if __name__ == "__main__":
    unittest.main()
