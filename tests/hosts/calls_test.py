"""Bad luck on the way of calls and streams: loss, cuts in one direction, a callee that stands still or dies, restarts under load."""
import json
import os
import signal
import threading
import unittest

from tests.support.hosts_case import MIB, HostsCase
from tests.support.mesh_client import CallFailed
from tests.support.two_hosts import HOSTS, answers
from tests.support.waiting import eventually, hold



class Calls(HostsCase):
    AGENTS = {"caller": {"program": "weft-echo"}, "echo": {}}

    def test_no_call_fails_while_both_instances_are_restarted_under_load(self):
        with self.meanwhile(lambda: self.load(2000, 8, host="")) as outcome:
            for host in HOSTS:
                hold(1)
                before = self.pid("echo", host)
                os.kill(before, signal.SIGTERM)  # as a rolling restart: it drains, and its node starts it anew
                eventually(lambda: (record := answers(self.clients[host].find, "echo", host)) and record["pid"] != before, 10, f"echo@{host} is back")
        print(outcome)
        self.assertEqual((0, {}), (outcome[0]["failed"], outcome[0]["errors"]))
        self.assertGreater(outcome[0]["ok"], 10_000)

    def test_a_callee_that_stands_still_costs_its_own_calls_only_and_drops_them_unhandled(self):
        self.assertEqual(0, self.load(200, 0.5)["failed"])
        handled = self.handled("echo", "beta")
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
        self.assertLess(self.handled("echo", "beta") - handled, 100)

    def test_five_percent_of_loss_costs_time_and_no_call(self):
        rules = "table ip weft { chain in { type filter hook input priority 0; numgen random mod 100 < 5 drop; }; }"
        self.inside("beta", "nft", "-f", "-", input=rules)
        done = self.load(200, 4, timeout_ms=5000)
        print(done)
        self.assertEqual((800, 0), (done["ok"], done["failed"]))

    def test_a_cut_in_one_direction_ends_calls_at_their_deadline_and_the_host_goes_on(self):
        self.assertEqual(0, self.load(100, 0.3)["failed"])
        self.inside("beta", "nft", "-f", "-", input="table ip weft { chain out { type filter hook output priority 0; oifname != \"lo\" drop; }; }")
        cut = self.load(50, 1, timeout_ms=300)
        self.assertEqual(0, cut["ok"])
        self.assertEqual(50, cut["failed"])
        local = self.load(50, 1, host="alpha", timeout_ms=300)
        self.assertEqual(0, local["failed"])
        self.inside("beta", "nft", "delete", "table", "ip", "weft")
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
            return self.memory(agent, host)[1]
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
