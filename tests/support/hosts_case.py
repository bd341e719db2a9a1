"""A test on two hosts that run the agents of its class: `caller` makes the load, and what every process counted is read from its metrics."""
import contextlib
import json
import re
import subprocess
import sys
import threading
import unittest

from tests.support.two_hosts import HOSTS, ROOT, TwoHosts, seen
from tests.support.waiting import eventually

OWN = ("registry", "errorbus", "node")  # every host's
MIB = 1024 * 1024


class HostsCase(unittest.TestCase):
    AGENTS = {}  # as in a fleet file
    NAMES = HOSTS

    def setUp(self):
        self.hosts = TwoHosts(self.AGENTS, self.NAMES)
        self.addCleanup(self.hosts.close)
        self.hosts.start()
        self.clients = {host: self.hosts.client(host) for host in self.NAMES}
        self.everybody = {(agent, host) for agent, how in self.AGENTS.items() for host in how.get("on", self.NAMES)}
        self.everybody |= {(one, host) for one in OWN for host in self.NAMES}
        eventually(self.everybody_is_seen, 5, "all registries list everybody")

    def everybody_is_seen(self):
        return all(seen(client) == self.everybody for client in self.clients.values())

    def pid(self, agent, host):
        return self.clients[host].find(agent, host)["pid"]

    def inside(self, host, *command, **options):
        return subprocess.run(["nsenter", f"--net=/run/netns/{self.hosts.network.namespaces[host]}", "--", *command], text=True, check=True, **options)

    def call(self, target, payload=None, host="alpha", timeout=10.0):
        """By a client of its own, so that any thread may."""
        with self.hosts.client(host) as client:
            return client.call(target, payload, host=host, timeout=timeout)

    def load(self, rate, seconds, host="beta", target="echo.echo", timeout_ms=1000):
        """What became of so many calls a second from caller@alpha."""
        request = {"target": target, "host": host, "rate": rate, "seconds": seconds, "timeout_ms": timeout_ms}
        return self.call("caller.load", request, timeout=seconds + 30)

    @contextlib.contextmanager
    def meanwhile(self, work):
        """Runs `work` on a thread of its own; the list holds what it returned when the block is over."""
        outcome, trouble = [], []

        def run():
            try:
                outcome.append(work())
            except Exception as error:  # told on the thread of the test
                trouble.append(error)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield outcome
        finally:
            thread.join()
        if trouble:
            raise trouble[0]

    @contextlib.contextmanager
    def delay(self, milliseconds, *hosts):
        """What comes to these hosts (all when none is named) from others comes so much later."""
        namespaces = [self.hosts.network.namespaces[host] for host in hosts or self.NAMES]
        programs = [subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace}", "--", sys.executable, ROOT / "tests/support/delay.py", str(milliseconds)],
                                     stdout=subprocess.PIPE, text=True) for namespace in namespaces]
        try:
            for program in programs:
                answer = program.stdout.readline()
                if answer != "ready\n":
                    raise unittest.SkipTest(answer)
            yield
        finally:
            for program in programs:
                program.terminate()
                program.wait(10)
                program.stdout.close()

    def metrics(self, agent, host):
        """The lines of its metrics."""
        endpoint = self.clients[host].find(agent, host)["admin"]
        reader = f"import urllib.request; print(urllib.request.urlopen('http://{endpoint}/metrics', timeout=5).read().decode())"
        return self.inside(host, "python3", "-c", reader, capture_output=True, timeout=20).stdout.splitlines()

    def metric(self, agent, host, pattern):
        """The sum of the series whose line begins with `pattern`."""
        return sum(float(line.split()[-1]) for line in self.metrics(agent, host) if re.match(pattern, line))

    def handled(self, agent, host, method="echo"):
        """Requests of that method that its handler has ended."""
        return int(self.metric(agent, host, rf'weft_requests_total\{{.*endpoint="{method}"'))

    def ledger(self, topic):
        """{"agent@host" of the subscriber: its account}, of one topic."""
        return {pair["subscriber"]: pair for pair in json.loads(self.hosts.weft("alpha", "ledger", "--topic", topic, "--json").stdout)["pairs"]}

    def memory(self, agent, host):
        """(resident now, at its highest) in MiB."""
        text = open(f"/proc/{self.pid(agent, host)}/status", encoding="ascii").read()
        return tuple(int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024 for name in ("VmRSS", "VmHWM"))
