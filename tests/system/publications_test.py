"""`weft ledger` in a mesh of real processes: every publication has one fate; and a topic that nobody publishes gets a hint."""
import unittest

from tests.support.mesh import Mesh
from tests.support.waiting import eventually

EVENTS = 20_000


class Publications(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh({"sysmon": {}, "digest": {"env": {"WEFT__ACTORS__MAILBOX": "64"}}})
        cls.mesh.__enter__()
        cls.addClassCleanup(cls.mesh.__exit__)

    def pairs(self, topic):
        document = self.mesh.json("ledger", "--topic", topic)
        self.assertEqual([], document["silent"])
        return document["pairs"]

    def test_what_sysmon_publishes_is_received_by_digest_and_the_books_balance(self):
        def balanced():
            pairs = self.pairs("host.alpha.metrics")
            return pairs and pairs[0]["received"] > 1 and pairs
        pair, = eventually(balanced, what="digest has heard of sysmon")
        self.assertEqual(("sysmon@alpha", "digest@alpha"), (pair["publisher"], pair["subscriber"]))
        self.assertEqual(pair["sent"], pair["received"] + pair["under_way"] + sum(pair["dropped"].values()))
        self.assertEqual(0, pair["unexplained"])
        self.assertIn("UNEXPLAINED", self.mesh.weft("ledger", "digest").stdout)

    def test_what_the_handlers_cannot_take_or_read_is_in_the_same_account(self):
        self.mesh.weft("pub", "host.elsewhere.metrics", '"no metrics"', "--count", str(EVENTS))

        def over():
            pairs = self.pairs("host.elsewhere.metrics")
            return pairs and pairs[0]["sent"] == EVENTS and pairs[0]["unexplained"] == 0 and pairs
        pair, = eventually(over, what="all events are accounted for")
        self.assertRegex(pair["publisher"], r"^cli-pub@.+ \(gone\)$")
        dropped = pair["dropped"]
        self.assertGreater(dropped["mailbox"], 0)
        self.assertGreater(dropped["undecodable"], 0)
        self.assertEqual({"mailbox", "undecodable"}, set(dropped))
        self.assertEqual((EVENTS, 0), (sum(dropped.values()), pair["received"]))

    def test_an_agent_that_is_not_there_is_told_with_the_nearest(self):
        done = self.mesh.weft("ledger", "digets", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("did you mean 'digest'?", done.stderr)

    def test_a_topic_that_nobody_publishes_gets_a_hint(self):
        done = self.mesh.weft("sub", "hots.alpha.metrics", "--for", "6s")
        self.assertIn("nobody publishes hots.alpha.metrics, did you mean 'host.alpha.metrics'?", done.stderr)
        self.assertNotIn("nobody publishes", self.mesh.weft("sub", "host.*.metrics", "--for", "6s").stderr)


if __name__ == "__main__":
    unittest.main()
