"""Instances that are not well, and what the balancer, the registry and the commands do about them."""
import os
import signal
import threading
import unittest

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


if __name__ == "__main__":
    unittest.main()
