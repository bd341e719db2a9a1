"""A replicated map between real processes: a shop sets prices, tills have them all; examples/prices."""
import os
import pathlib
import signal
import unittest
import urllib.request

from tests.support.mesh_client import CallFailed
from tests.support.mesh_processes import PROGRAMS, Mesh
from tests.support.processes import run_weft
from tests.support.waiting import eventually

EXAMPLES = pathlib.Path(os.environ.get("WEFT_BUILD", PROGRAMS)) / "examples"
MAP = 'map="shop.prices"'


def prices(count, cents=100, name="item"):
    return {f"{name}{number:06}": {"cents": cents + number} for number in range(count)}


class Replicated(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def start(self, agent, *settings, host="alpha"):
        return self.mesh.join(agent, *settings, host=host, folder=EXAMPLES)

    def call(self, target, payload=None, **options):
        """None while nobody answers, as between two instances."""
        try:
            return self.mesh.client.call(target, payload, **options)
        except (LookupError, TimeoutError):
            return None

    def set(self, wanted, offer="0s"):
        self.mesh.client.call("shop.set", {"prices": wanted, "offer": offer}, timeout=30)

    def has(self, wanted, host="alpha", seconds=20):
        """Waits until the till of `host` is synced and has exactly that."""
        def listed():
            it = self.call("till.list", host=host, timeout=10)
            return it if it and it["synced"] and it["prices"] == wanted else None
        return eventually(listed, seconds, f"{host} has the {len(wanted)} prices")

    def metric(self, agent, name, host="alpha"):
        admin = self.mesh.client.find(agent, host)["admin"]
        text = urllib.request.urlopen(f"http://{admin}/metrics", timeout=5).read().decode()
        return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"{name}{{{MAP}")), None)

    def test_a_late_joiner_has_what_an_early_joiner_has(self):
        for workers in (0, 2):
            with self.subTest(workers=workers):
                setting = f"actors.workers={workers}"
                early = self.start("till", setting, host="alpha")  # before its owner
                shop = self.start("shop", setting)
                self.has({})
                self.set(prices(1000))
                self.set(prices(500, cents=7))
                self.assertTrue(self.mesh.client.call("shop.erase", {"item": "item000003"}))
                self.assertFalse(self.mesh.client.call("shop.erase", {"item": "nothing"}))
                wanted = prices(1000) | prices(500, cents=7)
                del wanted["item000003"]
                self.has(wanted)
                late = self.start("till", setting, host="beta")
                self.has(wanted, "beta")
                self.assertEqual({"cents": 7}, self.mesh.client.call("till.price", {"item": "item000000"}, host="beta"))
                with self.assertRaises(CallFailed) as failed:
                    self.mesh.client.call("till.price", {"item": "item000003"}, host="beta")
                self.assertEqual("TILL-1", failed.exception.code)
                for host in ("alpha", "beta"):
                    self.assertEqual(0, self.metric("till", "weft_replica_gaps_total", host))
                    self.assertEqual(1, self.metric("till", "weft_replica_snapshots_total", host))
                    self.assertEqual(999, self.metric("till", "weft_replica_entries", host))
                for process in (early, late, shop):
                    process.stop()
                eventually(lambda: len(self.mesh.client.records()) == 1, what="all have left")

    def test_a_map_of_100_000_values_goes_in_small_messages(self):
        self.start("shop")
        wanted = prices(100_000)
        items = list(wanted.items())
        for first in range(0, len(items), 20_000):
            self.set(dict(items[first:first + 20_000]))
        self.start("till")
        self.has(wanted, seconds=60)
        self.assertEqual(1, self.metric("till", "weft_replica_snapshots_total"))
        self.assertEqual(0, self.metric("till", "weft_replica_gaps_total"))
        self.assertEqual(100_000, self.metric("shop", "weft_replicated_entries"))
        self.set({"item000000": {"cents": 1}})
        self.has(wanted | {"item000000": {"cents": 1}})
        self.assertEqual(1, self.metric("till", "weft_replica_snapshots_total"))

    def test_what_is_lost_on_the_way_is_noticed_counted_and_mended(self):
        self.start("shop", "limits.socket_messages_max=2", "limits.queue_max_bytes=2097152")
        till = self.start("till")
        self.set(prices(10))
        self.has(prices(10))
        till.process.send_signal(signal.SIGSTOP)
        self.addCleanup(till.process.send_signal, signal.SIGCONT)
        for cents in range(200, 300):
            self.set(prices(2000, cents=cents))
        till.process.send_signal(signal.SIGCONT)
        self.has(prices(2000, cents=299))
        self.assertGreaterEqual(self.metric("till", "weft_replica_gaps_total"), 1)
        self.assertGreaterEqual(self.metric("till", "weft_replica_snapshots_total"), 2)
        self.assertEqual(1, self.metric("till", "weft_replica_synced"))

    def test_another_instance_of_the_owner_is_followed_and_meanwhile_a_replica_keeps_what_it_had(self):
        shop = self.start("shop")
        self.start("till")
        self.set(prices(100))
        self.has(prices(100))
        shop.stop(signal.SIGKILL)
        eventually(lambda: not self.call("till.list")["synced"], what="the owner is missed")
        self.assertEqual(100, len(self.call("till.list")["prices"]))
        shop = self.start("shop")
        self.has({})
        self.set(prices(3, cents=5))
        self.has(prices(3, cents=5))
        self.assertEqual(1, self.metric("till", "weft_replica_owner_restarts_total"))
        self.assertEqual(0, self.metric("till", "weft_replica_gaps_total"))

    def test_who_waits_for_an_owner_that_is_not_there_is_told_and_an_event_of_somebody_else_changes_nothing(self):
        self.start("till")
        with self.assertRaises(CallFailed) as failed:
            self.mesh.client.call("till.price", {"item": "tea"})
        self.assertEqual("WEFT-2006", failed.exception.code)
        self.assertIn("its owner was not heard", failed.exception.message)
        self.start("shop")
        self.set(prices(1))
        self.has(prices(1))
        done = run_weft("pub", "shop.prices", '{"sequence": 99, "changes": [{"key": "tea", "value": {"cents": 1}, "sequence": 99}]}',
                        home=str(self.mesh.folder), WEFT_REGISTRY=self.mesh.registry)
        self.assertEqual(0, done.returncode, done.stderr)
        self.set(prices(2))
        self.has(prices(2))
        self.assertEqual(0, self.metric("till", "weft_replica_gaps_total"))

    def test_a_value_with_a_time_to_live_disappears_everywhere_also_when_its_owner_is_gone(self):
        shop = self.start("shop")
        for host in ("alpha", "beta"):
            self.start("till", host=host)
        self.set(prices(1, name="tea"))
        self.set(prices(2, name="offer"), offer="500ms")
        for host in ("alpha", "beta"):
            self.has(prices(1, name="tea"), host)
        self.set(prices(1, name="last"), offer="3s")
        everything = prices(1, name="tea") | prices(1, name="last")
        for host in ("alpha", "beta"):
            self.has(everything, host)
        shop.stop(signal.SIGKILL)
        for host in ("alpha", "beta"):
            eventually(lambda h=host: self.call("till.list", host=h)["prices"] == prices(1, name="tea"), what="it is gone there too")


if __name__ == "__main__":
    unittest.main()
