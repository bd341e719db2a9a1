"""Bad luck on the way of calls and streams: loss, cuts in one direction, a callee that stands still or dies, restarts under load."""
import json
import os
import re
import signal
import subprocess
import threading
import unittest

from tests.support.mesh_client import CallFailed
from tests.support.two_hosts import HOSTS, TwoHosts, answers, seen
from tests.support.waiting import eventually, hold

AGENTS = {"caller": {"program": "weft-echo"}, "echo": {}}
EVERYBODY = {(agent, host) for agent in [*AGENTS, "registry", "errorbus", "node"] for host in HOSTS}
MIB = 1024 * 1024


class Calls(unittest.TestCase):
    def setUp(self):
        self.hosts = TwoHosts(AGENTS)
        self.addCleanup(self.hosts.close)
        self.hosts.start()
        self.clients = {host: self.hosts.client(host) for host in HOSTS}
        eventually(lambda: all(seen(client) == EVERYBODY for client in self.clients.values()), 5, "both registries list everybody")

    def pid(self, agent, host):
        return self.clients[host].find(agent, host)["pid"]

    def load(self, rate, seconds, host="beta", target="echo.echo", timeout_ms=1000, background=None):
        """What became of so many calls a second from caller@alpha; in a thread of its own when `background` is a list for its outcome."""
        request = {"target": target, "host": host, "rate": rate, "seconds": seconds, "timeout_ms": timeout_ms}
        client = self.hosts.client("alpha")
        if background is None:
            return client.call("caller.load", request, host="alpha", timeout=seconds + 30)
        thread = threading.Thread(target=lambda: background.append(client.call("caller.load", request, host="alpha", timeout=seconds + 30)))
        thread.start()
        return thread

    def metric(self, agent, host, pattern):
        """The sum of the series whose line begins with `pattern`."""
        command = self.hosts.command(host, "info", agent, "--json")
        record = next(one for one in json.loads(subprocess.run(**command, capture_output=True, timeout=20, check=True).stdout)["instances"]
                      if one["host"] == host)
        text = subprocess.run(["nsenter", f"--net=/run/netns/{self.hosts.network.namespaces[host]}", "--", "python3", "-c",
                               f"import urllib.request; print(urllib.request.urlopen('http://{record['admin']}/metrics', timeout=5).read().decode())"],
                              capture_output=True, text=True, timeout=20, check=True).stdout
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(pattern, line))

    def test_no_call_fails_while_both_instances_are_restarted_under_load(self):
        outcome = []
        thread = self.load(2000, 8, host="", background=outcome)
        for host in HOSTS:
            hold(1)
            before = self.pid("echo", host)
            os.kill(before, signal.SIGTERM)  # as a rolling restart: it drains, and its node starts it anew
            eventually(lambda: (record := answers(self.clients[host].find, "echo", host)) and record["pid"] != before, 10, f"echo@{host} is back")
        thread.join()
        print(outcome)
        self.assertEqual((0, {}), (outcome[0]["failed"], outcome[0]["errors"]))
        self.assertGreater(outcome[0]["ok"], 10_000)

    def test_a_callee_that_stands_still_costs_its_own_calls_only_and_drops_them_unhandled(self):
        self.assertEqual(0, self.load(200, 0.5)["failed"])
        handled = self.metric("echo", "beta", r'weft_requests_total\{.*endpoint="echo"')
        process = self.pid("echo", "beta")
        os.kill(process, signal.SIGSTOP)
        try:
            failed = self.load(100, 1, timeout_ms=300)
            fine = self.load(100, 1, host="alpha", timeout_ms=300)
        finally:
            os.kill(process, signal.SIGCONT)
        self.assertEqual((0, 100), (failed["ok"], failed["failed"]))
        timed_out = failed["errors"]["WEFT-2006"]  # the others met a circuit that had opened
        self.assertEqual(100, timed_out + failed["errors"].get("WEFT-2014", 0))
        self.assertEqual((100, 0), (fine["ok"], fine["failed"]))
        eventually(lambda: self.metric("echo", "beta", "weft_requests_expired_total") == timed_out, 10, "what nobody waits for is dropped, and counted")
        eventually(lambda: self.load(50, 0.1)["failed"] == 0, 20, "the circuit closes")
        more = self.metric("echo", "beta", r'weft_requests_total\{.*endpoint="echo"') - handled
        self.assertLess(more, 100)

    def test_five_percent_of_loss_costs_time_and_no_call(self):
        namespace = self.hosts.network.namespaces["beta"]
        rules = "table ip weft { chain in { type filter hook input priority 0; numgen random mod 100 < 5 drop; }; }"
        subprocess.run(["nsenter", f"--net=/run/netns/{namespace}", "--", "nft", "-f", "-"], input=rules, text=True, check=True)
        done = self.load(200, 4, timeout_ms=5000)
        print(done)
        self.assertEqual((800, 0), (done["ok"], done["failed"]))

    def test_a_cut_in_one_direction_ends_calls_at_their_deadline_and_the_host_goes_on(self):
        namespace = self.hosts.network.namespaces["beta"]
        nft = ["nsenter", f"--net=/run/netns/{namespace}", "--", "nft"]
        self.assertEqual(0, self.load(100, 0.3)["failed"])
        subprocess.run([*nft, "-f", "-"], text=True, check=True,
                       input="table ip weft { chain out { type filter hook output priority 0; oifname != \"lo\" drop; }; }")
        cut = self.load(50, 1, timeout_ms=300)
        self.assertEqual(0, cut["ok"])
        self.assertEqual(50, cut["failed"])
        local = self.load(50, 1, host="alpha", timeout_ms=300)
        self.assertEqual(0, local["failed"])
        subprocess.run([*nft, "delete", "table", "ip", "weft"], check=True)
        eventually(lambda: self.load(50, 0.2)["failed"] == 0, 20, "calls arrive again after the heal")

    def test_a_callee_that_dies_within_a_stream_ends_it_at_once(self):
        outcome = []

        def fetch():
            try:
                outcome.append(self.hosts.client("alpha").call("caller.fetch", {"target": "echo.blob", "host": "beta", "bytes": 1 << 40}, host="alpha", timeout=60))
            except CallFailed as failed:
                outcome.append(failed)
        thread = threading.Thread(target=fetch)
        thread.start()
        eventually(lambda: self.metric("echo", "beta", "weft_requests_in_flight") >= 1, 10, "the stream flows")
        hold(0.3)
        os.kill(self.pid("echo", "beta"), signal.SIGKILL)
        thread.join(10)
        self.assertFalse(thread.is_alive(), "the stream did not end")
        self.assertIn("WEFT-2007", str(outcome[0]))

    def test_a_long_stream_needs_the_memory_of_its_window_at_both_ends(self):
        def peak(agent, host):
            text = open(f"/proc/{self.pid(agent, host)}/status", encoding="ascii").read()
            return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) / 1024
        client = self.hosts.client("alpha")
        small = {"target": "echo.blob", "host": "beta", "bytes": 8 * MIB, "chunk": 65536}
        client.call("caller.fetch", small, host="alpha", timeout=60)
        before = peak("caller", "alpha"), peak("echo", "beta")
        done = client.call("caller.fetch", {**small, "bytes": 1024 * MIB}, host="alpha", timeout=300)
        self.assertEqual(1024 * MIB, done["bytes"])
        after = peak("caller", "alpha"), peak("echo", "beta")
        print(f"1 GiB in {done['seconds']:.1f} s; peaks in MiB before {before}, after {after}")
        for grown in (after[0] - before[0], after[1] - before[1]):
            self.assertLess(grown, 24)
        fed = client.call("caller.feed", {"target": "echo.sink", "host": "beta", "bytes": 64 * MIB}, host="alpha", timeout=60)
        self.assertEqual(64 * MIB, fed["bytes"])

    def test_the_mesh_is_listed_from_peers_while_its_registries_stand_still(self):
        registries = [self.pid("registry", host) for host in HOSTS]
        for pid in registries:
            os.kill(pid, signal.SIGSTOP)
        try:
            done = self.hosts.weft("alpha", "list", "--json")
        finally:
            for pid in registries:
                os.kill(pid, signal.SIGCONT)
        self.assertIn("no registry answers", done.stderr)
        listed = json.loads(done.stdout)
        self.assertEqual({"peers"}, {record["source"] for record in listed})
        self.assertLessEqual({("echo", "alpha"), ("echo", "beta")}, {(record["agent"], record["host"]) for record in listed})


if __name__ == "__main__":
    unittest.main()
