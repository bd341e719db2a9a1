"""kill -9 of each kind of process on each host: it is back within 5 s, and no call to another agent fails meanwhile."""
import os
import signal
import unittest

from tests.support.two_hosts import HOSTS, Load, Stopwatch, TwoHosts, all_numbers, answers, back, newest_number, seen
from tests.support.waiting import eventually, hold

AGENTS = {"caller": {"program": "weft-echo"}, "echo": {}, "sysmon": {}}
EVERYBODY = {(agent, host) for agent in [*AGENTS, "registry", "errorbus", "node"] for host in HOSTS}
PROOF_OF_LIFE = {"echo": "echo.echo", "errorbus": "errorbus.stats", "registry": "registry.ping", "node": "node.ps"}
BACK_SECONDS = 5
LEASE_SECONDS = 3  # until then a wrong record may still be found


class Kills(unittest.TestCase):
    def setUp(self):
        self.hosts = TwoHosts(AGENTS)
        self.addCleanup(self.hosts.close)
        self.hosts.start()
        self.clients = {host: self.hosts.client(host) for host in HOSTS}
        eventually(lambda: all(seen(client) == EVERYBODY for client in self.clients.values()), 5, "both registries list everybody")

    def pid(self, agent, host, seen_from):
        record = answers(self.clients[seen_from].find, agent, host)
        return record and record["pid"]

    def kill(self, agent, host):
        """Kills it, and returns how long it took until another process of it answers and both hosts list everybody."""
        before, watch = self.pid(agent, host, host), Stopwatch()
        os.kill(before, signal.SIGKILL)
        if agent == "node":
            self.hosts.up(host)  # as systemd would

        def serves():
            return (all(self.pid(agent, host, there) not in (None, before) for there in HOSTS)
                    and answers(self.clients[host].call, PROOF_OF_LIFE[agent], {}, host=host, timeout=1) is not None
                    and all(seen(client) == EVERYBODY for client in self.clients.values()))
        eventually(serves, BACK_SECONDS - watch.seconds(), f"{agent}@{host} is back in service")
        return watch.seconds()

    def loads(self, rate, *targets):
        return [Load(self.hosts, host, target, to, rate) for host in HOSTS for target in targets for to in HOSTS]

    def assert_none_failed(self, loads):
        for done in [load.end() for load in loads]:
            print(done)
            self.assertEqual((0, {}), (done["failed"], done["errors"]), done["load"])
            self.assertGreater(done["ok"], 0)

    def test_each_kind_is_back_within_5_s_and_no_call_to_others_fails(self):
        loads = self.loads(50, "sysmon.snapshot", "caller.echo")
        for kind in PROOF_OF_LIFE:
            for host in HOSTS:
                with self.subTest(kind=kind, host=host):
                    print(f"{kind}@{host} is back after {self.kill(kind, host):.2f} s")
        hold(LEASE_SECONDS + 0.5)
        self.assert_none_failed(loads)
        self.assertEqual([], [agent for host in HOSTS for agent in ("sysmon", "caller") if self.restarts(agent, host)])

    def restarts(self, agent, host):
        rows = self.clients[host].call("node.ps", host=host)["processes"]
        return next(row["restarts"] for row in rows if row["agent"] == agent)

    def test_no_call_fails_while_registries_are_killed_under_2000_calls_a_second(self):
        loads = [Load(self.hosts, "alpha", "caller.echo", "beta", 2000)]
        for host in HOSTS:
            hold(0.5)
            print(f"registry@{host} is back after {self.kill('registry', host):.2f} s")
        hold(LEASE_SECONDS + 0.5)
        self.assert_none_failed(loads)

    def test_no_call_fails_while_a_registry_hangs(self):
        loads = self.loads(200, "caller.echo")
        registry = self.pid("registry", "alpha", seen_from="beta")
        os.kill(registry, signal.SIGSTOP)
        hold(LEASE_SECONDS + 1.5)
        os.kill(registry, signal.SIGCONT)
        eventually(lambda: all(seen(client) == EVERYBODY for client in self.clients.values()), BACK_SECONDS, "both registries list everybody")
        self.assert_none_failed(loads)

    def test_errors_reported_while_buses_are_killed_are_at_the_hub_once_each(self):
        for host in HOSTS:
            self.clients[host].call("caller.report", {"count": 4000, "rate": 1000, "background": True}, host=host)
        for host in [*HOSTS, *HOSTS]:
            hold(0.5)
            self.kill("errorbus", host)
        hub = self.clients["alpha"]
        eventually(lambda: all(answers(newest_number, hub, host) == 4000 for host in HOSTS), 15, "the hub has all errors of both")
        for host, numbers in all_numbers(hub).items():
            self.assertEqual(list(range(1, 4001)), numbers, host)

    def test_a_host_that_loses_its_power_is_gone_after_its_lease_and_comes_back_with_weft_up(self):
        for pid in self.hosts.processes("beta"):
            os.kill(pid, signal.SIGKILL)
        gone = back(lambda: not any(host == "beta" for _, host in seen(self.clients["alpha"])), LEASE_SECONDS + 1, "alpha lists nothing of beta")
        self.hosts.up("beta")
        took = back(lambda: all(seen(client) == EVERYBODY for client in self.clients.values()), 2, "both registries list everybody")
        print(f"beta was gone after {gone:.2f} s, and seen again {took:.2f} s after it was ready")
        self.hosts.weft("alpha", "call", "echo.echo@beta")


if __name__ == "__main__":
    unittest.main()
