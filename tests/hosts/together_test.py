"""Two hosts find each other, every agent is reached from both, and a clean stop leaves nothing."""
import json
import unittest

from tests.support.two_hosts import HOSTS, TwoHosts, answers, back, seen
from tests.support.waiting import eventually

AGENTS = {"echo": {}, "sysmon": {}, "digest": {"on": ["alpha"], "needs": ["sysmon"]}, "logwatch": {}, "probe": {"on": ["beta"]}}
OWN = {"registry", "errorbus", "node"}
EVERYBODY = {(agent, host) for agent, how in AGENTS.items() for host in how.get("on", HOSTS)} | {(agent, host) for agent in OWN for host in HOSTS}
CALLS = {"echo": "echo.echo", "sysmon": "sysmon.snapshot", "digest": "digest.hosts", "probe": "probe.targets",  # logwatch serves no method
         "registry": "registry.ping", "errorbus": "errorbus.stats", "node": "node.ps"}


class Together(unittest.TestCase):
    def setUp(self):
        self.hosts = TwoHosts(AGENTS)
        self.addCleanup(self.hosts.close)
        self.hosts.start()

    def test_both_see_everybody_within_2_s_and_reach_every_agent(self):
        clients = {host: self.hosts.client(host) for host in HOSTS}
        took = back(lambda: all(seen(client) == EVERYBODY for client in clients.values()), 2, "both registries list everybody")
        print(f"everybody is seen on both {took:.2f} s after both nodes were ready")
        for here in HOSTS:
            for agent, host in sorted(one for one in EVERYBODY if one[0] in CALLS):
                with self.subTest(caller=here, callee=f"{agent}@{host}"):
                    self.hosts.weft(here, "call", f"{CALLS[agent]}@{host}")

    def test_digest_answers_for_the_machine_figures_of_the_other_host(self):
        def figures():
            summary = answers(lambda: json.loads(self.hosts.weft("beta", "call", "digest.summary", "--json").stdout))
            return summary and all(summary["hosts"].get(host) for host in HOSTS) and summary
        summary = eventually(figures, 10, "digest has figures of both hosts")
        self.assertEqual(set(summary["hosts"]["alpha"]), set(summary["hosts"]["beta"]))

    def test_a_clean_stop_leaves_nothing(self):
        for host in HOSTS:
            self.assertTrue(self.hosts.context_files(host))
            self.hosts.down(host)
            self.assertEqual([], self.hosts.processes(host))
            self.assertEqual([], self.hosts.context_files(host))
            self.assertFalse(self.hosts.run_folder(host).exists())
            self.assertEqual([], [path for path in self.hosts.folder.rglob("*") if host in str(path) and path.is_socket()])


if __name__ == "__main__":
    unittest.main()
