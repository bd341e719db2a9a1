"""Subscribers that cannot keep up on two hosts: the publisher neither waits nor grows, the others lose nothing, every loss has its reason."""
import os
import signal
import unittest

from tests.support.hosts_case import HostsCase
from tests.support.waiting import eventually, hold

TOPIC = "echo.alpha.burst"
SMALL_QUEUES = {"WEFT__LIMITS__SOCKET_MESSAGES_MAX": "500"}
HEAR = {"hear": TOPIC}
GROWTH_MAX = 36  # MiB of the publisher, however often: 500 frames of 64 KiB, and what fragments


class Subscribers(HostsCase):
    """near@alpha keeps up, SLOW does not."""

    def setUp(self):
        super().setUp()
        self.published = 0
        self.burst(2000, 0.5)  # connects, and fills pools
        eventually(lambda: all(self.heard(who)["count"] > 0 for who in ("near@alpha", self.SLOW)), 5, "both hear")
        accounts = self.settled()
        self.known = {who: accounts[who]["sent"] for who in ("near@alpha", self.SLOW)}  # the first few went before it was subscribed
        self.published = 0
        self.memory_at_first = self.memory("echo", "alpha")[1]

    def burst(self, rate, seconds, size=100):
        done = self.call("echo.burst", {"count": int(rate * seconds), "rate": rate, "size": size}, timeout=seconds + 20)
        self.published += done["count"]
        self.assertLess(done["seconds"], seconds + 0.5)  # it did not wait for anybody
        return done

    def heard(self, who):
        agent, _, host = who.partition("@")
        return self.call(f"{agent}.heard", host=host, timeout=30)

    def settled(self, seconds=30):
        """The accounts of both when each loss has its reason."""
        def books():
            accounts = self.ledger(TOPIC)
            told = {"near@alpha", self.SLOW} <= set(accounts)
            return told and all(account["unexplained"] == 0 and account["under_way"] == 0 for account in accounts.values()) and accounts
        return eventually(books, seconds, "every loss has its reason", pause=0.2)

    def assert_whole(self, account):
        lost = sum(account["dropped"].values())
        self.assertEqual((0, self.published), (account["unexplained"], account["sent"] - self.known[account["subscriber"]]))
        self.assertEqual(account["sent"], account["received"] + lost)
        handled = eventually(lambda: (told := self.heard(account["subscriber"])) and told["count"] >= account["received"] and told, 30, "its handler has had all")
        self.assertEqual(account["received"], handled["count"])
        return lost

    def check(self, reason, memory_before):
        """What the slow one lost, for `reason` alone."""
        accounts = self.settled()
        self.assertEqual(0, self.assert_whole(accounts["near@alpha"]))
        lost = self.assert_whole(accounts[self.SLOW])
        print(f"{self.SLOW} of {self.published}: {accounts[self.SLOW]['dropped']}; publisher {memory_before:.1f} -> {self.memory('echo', 'alpha')[1]:.1f} MiB")
        self.assertGreater(lost, 0)
        self.assertEqual({reason: lost}, accounts[self.SLOW]["dropped"])
        agent, _, host = self.SLOW.partition("@")
        self.assertEqual(lost, self.metric(agent, host, rf'weft_messages_dropped_total\{{.*class="event".*peer="echo@alpha".*reason="{reason}"'))
        self.assertEqual(0, self.metric(agent, host, "weft_events_unexplained"))
        self.assertLess(self.memory("echo", "alpha")[1] - memory_before, GROWTH_MAX)


class Stalled(Subscribers):
    AGENTS = {"echo": {"on": ["alpha"], "env": SMALL_QUEUES},
              "near": {"program": "weft-echo", "on": ["alpha"], "config": HEAR},
              "far": {"program": "weft-echo", "on": ["beta"], "env": SMALL_QUEUES, "config": HEAR}}
    SLOW = "far@beta"

    def stand_still(self, seconds):
        process = self.pid("far", "beta")
        with self.meanwhile(lambda: self.burst(4000, seconds + 1.5, size=4000)):
            hold(0.5)
            os.kill(process, signal.SIGSTOP)
            hold(seconds)
            os.kill(process, signal.SIGCONT)

    def test_a_subscriber_that_stands_still_loses_what_its_queue_does_not_hold(self):
        self.stand_still(2)
        self.stand_still(2)
        self.stand_still(2)
        self.check("hwm", self.memory_at_first)

    def test_a_subscriber_that_stands_still_until_its_connection_is_given_up_loses_what_comes_meanwhile(self):
        self.stand_still(5)  # ZMTP's heartbeats give it up after 3 s, and its queue with it
        self.check("gap", self.memory_at_first)

    def test_a_subscriber_behind_a_slow_link(self):
        self.hosts.network.limit("beta", "16mbit")
        self.burst(4000, 4, size=2000)
        self.hosts.network.limit("beta", None)
        self.check("hwm", self.memory_at_first)


class Busy(Subscribers):
    AGENTS = {"echo": {"on": ["alpha"]},
              "near": {"program": "weft-echo", "on": ["alpha"], "config": HEAR},
              "busy": {"program": "weft-echo", "on": ["beta"], "env": {"WEFT__ACTORS__MAILBOX": "1000"}, "config": HEAR | {"hear_time": "2ms"}}}
    SLOW = "busy@beta"

    def test_a_subscriber_whose_handler_is_slow(self):
        self.burst(2000, 5)
        self.check("mailbox", self.memory_at_first)


if __name__ == "__main__":
    unittest.main()
