"""Two hosts that are cut apart for seconds under calls and publications, in both directions or in one: afterwards every call and event is accounted for."""
import contextlib
import unittest

from tests.support.hosts_case import HostsCase
from tests.support.two_hosts import HOSTS, back
from tests.support.waiting import eventually, hold

TOPIC = "echo.beta.burst"
CALLS, EVENTS, SECONDS = 200, 500, 12  # a second; in all
CUT_SECONDS = 5
GROWTH_MAX = 8  # MiB
DEADLINE_EXCEEDED, PEER_GONE, NO_RESPONDERS, CIRCUIT_OPEN = "WEFT-2006", "WEFT-2007", "WEFT-2003", "WEFT-2014"
IN_DOUBT = (DEADLINE_EXCEEDED, PEER_GONE)  # the work may have been done
OUT = 'table ip weft { chain out { type filter hook output priority 0; oifname != "lo" drop; }; }'


class Parted(HostsCase):
    AGENTS = {"caller": {"program": "weft-echo"}, "echo": {}, "ear": {"program": "weft-echo", "on": ["alpha"], "config": {"hear": TOPIC}}}

    def silent(self, host):
        """What `host` sends to others is lost."""
        @contextlib.contextmanager
        def cut():
            self.inside(host, "nft", "-f", "-", input=OUT)
            yield
            self.inside(host, "nft", "delete", "table", "ip", "weft")
        return cut

    @contextlib.contextmanager
    def apart(self):
        self.hosts.network.silence()
        yield
        self.hosts.network.silence(False)

    def under_load(self, cut):
        """What became of the calls of alpha, while both hosts worked and were cut apart for some seconds."""
        burst = {"count": EVENTS * SECONDS, "rate": EVENTS}
        with self.meanwhile(lambda: self.load(CALLS, SECONDS)) as calls, self.meanwhile(lambda: self.call("echo.burst", burst, host="beta", timeout=SECONDS + 20)):
            hold(2)
            with cut():
                hold(CUT_SECONDS)
        print(calls[0])
        return calls[0]

    def check(self, cut):
        self.load(CALLS, 0.5)
        self.call("echo.burst", {"count": EVENTS, "rate": EVENTS}, host="beta")
        eventually(lambda: self.call("ear.heard")["count"] == EVENTS, 5, "alpha hears beta")
        handled = self.handled("echo", "beta")
        memory = {(agent, host): self.memory(agent, host)[0] for agent in ("caller", "echo") for host in HOSTS}
        self.assert_calls_are_accounted_for(self.under_load(cut), handled)
        self.assert_events_are_accounted_for(EVENTS * (SECONDS + 1))
        took = back(lambda: self.everybody_is_seen() and self.load(50, 0.2)["failed"] == 0, 10, "calls arrive again")
        print(f"all calls are answered again {took:.2f} s after that")
        self.assert_nothing_is_left(memory)

    def assert_calls_are_accounted_for(self, done, handled_before):
        self.assertEqual((CALLS * SECONDS, 0), (done["sent"], done["held_back"]))
        self.assertEqual(done["sent"], done["ok"] + sum(done["errors"].values()))
        self.assertLessEqual(set(done["errors"]), {*IN_DOUBT, NO_RESPONDERS, CIRCUIT_OPEN})
        self.assertGreater(done["failed"], 0)
        in_doubt = sum(done["errors"].get(code, 0) for code in IN_DOUBT)
        handled = self.handled("echo", "beta") - handled_before
        print(f"{done['ok']} answered, {handled} handled, {in_doubt} in doubt")
        self.assertGreaterEqual(handled, done["ok"])
        self.assertLessEqual(handled, done["ok"] + in_doubt)

    def assert_events_are_accounted_for(self, published):
        def books():
            account = self.ledger(TOPIC).get("ear@alpha")
            return account and account["unexplained"] == 0 and account["under_way"] == 0 and account
        account = eventually(books, 20, "every loss has its reason", pause=0.2)
        print(account)
        self.assertEqual((published, published), (account["sent"], account["received"] + sum(account["dropped"].values())))
        self.assertLessEqual(set(account["dropped"]), {"gap", "hwm"})
        heard = self.call("ear.heard")
        self.assertEqual(account["received"], heard["count"])

    def assert_nothing_is_left(self, memory_before):
        for (agent, host), before in memory_before.items():
            stats = self.call(f"{agent}._stats", host=host)
            left = {name: stats[name] for name in ("in_flight", "calls_waiting")} | {"queued": sum(link["queued_bytes"] for link in stats["links"])}
            self.assertEqual({"in_flight": 1, "calls_waiting": 0, "queued": 0}, left, f"{agent}@{host}")  # this one
            self.assertLess(self.memory(agent, host)[0] - before, GROWTH_MAX, f"{agent}@{host}")

    def test_a_cut_in_both_directions(self):
        self.check(self.apart)

    def test_a_cut_on_the_way_of_the_answers(self):
        self.check(self.silent("beta"))

    def test_a_cut_on_the_way_of_the_requests(self):
        self.check(self.silent("alpha"))


if __name__ == "__main__":
    unittest.main()
