"""A rolling restart under load: each instance is told to stop, drains, and is started anew by its node; no call may fail."""
import json
import os
import signal
import subprocess
import unittest

from tests.support.hosts_case import HostsCase
from tests.support.two_hosts import HOSTS, answers
from tests.support.waiting import eventually, hold

RATE, SECONDS, ROUNDS = 5000, 14, 2  # calls a second; restarts of each instance


class Restart(HostsCase):
    AGENTS = {"echo": {}}

    def restart(self, host):
        before = self.pid("echo", host)
        os.kill(before, signal.SIGTERM)
        eventually(lambda: (record := answers(self.clients[host].find, "echo", host)) and record["pid"] != before, 10, f"echo@{host} is back")

    def test_no_call_of_5000_a_second_fails_while_all_instances_are_restarted(self):
        bench = self.hosts.command("alpha", "bench", "call", "echo.echo", "--rate", str(RATE), "--duration", f"{SECONDS}s", "--json")
        with subprocess.Popen(**bench, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            hold(1)
            restarts = 0
            for _ in range(ROUNDS):
                for host in HOSTS:
                    self.restart(host)
                    restarts += 1
                    hold(1)
            self.assertIsNone(process.poll(), "the load ended before the restarts did")
            out, trouble = process.communicate(timeout=60)
        done = json.loads(out)
        print(f"{restarts} restarts, {done['calls']} calls in {done['seconds']:.1f} s, {done['failed']} failed {done['failures']}, "
              f"{done['held_back']} not begun; {done['latency']}")
        self.assertEqual((0, ""), (process.returncode, trouble))
        self.assertEqual((RATE * SECONDS, 0, 0), (done["calls"], done["failed"], done["held_back"]))
        self.assertLess(done["seconds"], 1.1 * SECONDS)  # so the rate was kept


if __name__ == "__main__":
    unittest.main()
