"""Fifty milliseconds on the way to each host: calls, budgets, publications, streams, leases and balancing live with it."""
import os
import signal
import unittest

from tests.support.hosts_case import MIB, HostsCase
from tests.support.two_hosts import HOSTS, Stopwatch, answers, back, seen
from tests.support.waiting import eventually, hold

WAY_MS = 50
ROUND_TRIP_MS = 2 * WAY_MS
LEASE_SECONDS = 3


class Delay(HostsCase):
    AGENTS = {"caller": {"program": "weft-echo"}, "echo": {},
              "ear": {"program": "weft-echo", "on": ["alpha"], "config": {"hear": "echo.*.burst"}}}

    def test_calls_take_the_round_trip_and_do_not_wait_for_each_other(self):
        with self.delay(WAY_MS):
            self.load(20, 0.2)  # connects
            one_by_one = self.load(5, 2, timeout_ms=2000)
            many = self.load(2000, 4, timeout_ms=2000)
        print(one_by_one, many)
        self.assertEqual((10, 0), (one_by_one["ok"], one_by_one["failed"]))
        self.assertEqual((8000, 0, 0), (many["ok"], many["failed"], many["held_back"]))
        for done in (one_by_one, many):
            self.assertGreaterEqual(done["p50_us"], ROUND_TRIP_MS * 1000)
            self.assertLess(done["p50_us"], (ROUND_TRIP_MS + 40) * 1000)
        self.assertLess(many["seconds"], 5)

    def test_the_time_on_the_way_is_taken_from_the_budget_and_what_it_uses_up_is_not_handled(self):
        def left(timeout):
            return self.call("caller.relay", {"target": "echo.left", "host": "beta"}, timeout=timeout)["left_ms"]
        self.load(100, 0.3)  # what is measured is how much longer the way is than it was
        before = left(1)
        self.assertGreater(before, 1000 - WAY_MS)
        with self.delay(WAY_MS, "beta"):
            self.assertLess(left(1), before - 0.8 * WAY_MS)
            self.assertGreater(left(1), before - 3 * WAY_MS)
            handled = self.handled("echo", "beta")
            late = self.load(100, 0.5, timeout_ms=WAY_MS - 15)
            self.assertEqual((0, 50), (late["ok"], late["failed"]))
            timed_out = late["errors"]["WEFT-2006"]  # the others met a circuit that had opened
            eventually(lambda: self.metric("echo", "beta", r'weft_requests_expired_total\{.*place="transit"') == timed_out, 5, "each that was sent is dropped and counted")
            self.assertEqual(handled, self.handled("echo", "beta"))

    def test_publications_come_in_order_and_whole(self):
        with self.delay(WAY_MS):
            done = self.call("echo.burst", {"count": 10_000, "rate": 4000, "size": 500}, host="beta", timeout=20)
            self.assertLess(done["seconds"], 3.5)
            eventually(lambda: self.call("ear.heard")["count"] == 10_000, 10, "all are heard")
            account = self.ledger("echo.beta.burst")["ear@alpha"]
        self.assertEqual((10_000, 10_000, {}, 0), (account["sent"], account["received"], account["dropped"], account["unexplained"]))
        self.assertEqual(0, self.call("ear.heard")["missed"])

    def test_a_stream_fills_its_window_at_every_round_trip(self):
        def rate(window, size):
            fetched = self.call("caller.fetch", {"target": "echo.blob", "host": "beta", "bytes": size * MIB, "window": window * MIB}, timeout=60)
            self.assertEqual(size * MIB, fetched["bytes"])
            return size / fetched["seconds"]
        with self.delay(WAY_MS):
            rate(4, 64)  # TCP learns how much is on the way
            small, large = rate(1, 16), rate(4, 64)
        possible = 1000 / ROUND_TRIP_MS
        print(f"window 1 MiB: {small:.1f} MiB/s of {possible:.0f}; 4 MiB: {large:.1f} MiB/s")
        self.assertGreater(small, 0.7 * possible)
        self.assertLess(small, 1.2 * possible)
        self.assertGreater(large, 2 * small)  # TCP's own window bounds it too

    def test_no_lease_ends_and_a_death_is_noticed_as_fast_as_without(self):
        with self.delay(WAY_MS):
            watch = Stopwatch()
            while watch.seconds() < 2 * LEASE_SECONDS:
                self.assertEqual([self.everybody] * 2, [seen(self.clients[host]) for host in HOSTS])
                hold(0.1)
            process = self.pid("echo", "beta")
            os.kill(process, signal.SIGKILL)
            gone = back(lambda: ((record := self.clients["alpha"].find("echo", "beta")) is None or record["pid"] != process), 1, "alpha knows of the death")
            returned = back(lambda: answers(self.clients["alpha"].find, "echo", "beta") and self.load(50, 0.2)["failed"] == 0, 5, "it is called again")
            print(f"known after {gone:.2f} s, called again after {returned:.2f} s")
            self.hosts.network.silence()
            cut = back(lambda: not any(host == "beta" for _, host in seen(self.clients["alpha"])), LEASE_SECONDS + 1, "a silent host is gone after its lease")
            self.hosts.network.silence(False)
            healed = back(self.everybody_is_seen, 3, "both see everybody again")
            print(f"gone {cut:.2f} s after the cut, seen {healed:.2f} s after the heal")


class Nearness(HostsCase):
    NAMES = ("alpha", "beta", "gamma")
    AGENTS = {"caller": {"program": "weft-echo", "on": ["alpha"]}, "echo": {"on": ["beta", "gamma"]}}

    def shares(self):
        """The parts of beta and gamma in 1000 calls that name no host."""
        before = [self.handled("echo", host) for host in ("beta", "gamma")]
        done = self.load(500, 2, host="")
        self.assertEqual((1000, 0), (done["ok"], done["failed"]))
        return [self.handled("echo", host) - count for host, count in zip(("beta", "gamma"), before)], done

    def test_of_two_hosts_the_one_that_is_measured_to_be_near_is_called_and_the_other_when_that_changes(self):
        for near, far in ((0, 1), (1, 0)):
            with self.delay(WAY_MS, ("beta", "gamma")[far]):
                back(lambda: self.load(100, 0.5, host="")["p99_us"] < WAY_MS * 1000, 10, "the near one is found")
                shares, done = self.shares()
            print(f"beta and gamma: {shares}, p50 {done['p50_us']} us, p99 {done['p99_us']} us")
            self.assertGreater(shares[near], 980)
            self.assertLess(done["p50_us"], WAY_MS * 1000)


if __name__ == "__main__":
    unittest.main()
