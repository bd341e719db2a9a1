"""Hosts in network namespaces of their own, joined by a bridge in another: nothing of it is seen outside, so runs do not clash."""
import contextlib
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(os.environ["WEFT_SOURCE"]) / "tools/dev"))
from demo_network import NotPermitted, ip, join  # noqa: E402

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """This thread, and what it starts meanwhile, is in that network."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        _enter(there)
        try:
            yield
        finally:
            _enter(home)


def _enter(file):
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def processes(namespace):
    return [int(pid) for pid in ip("netns", "pids", namespace, check=False).split()]


def remove(namespace):
    """With all that runs in it."""
    for pid in processes(namespace):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    ip("netns", "del", namespace, check=False)


def remove_of_dead_runs():
    """A run that was killed could not clean up."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        owner = re.fullmatch(r"wefttest(\d+)-.*", name)
        if owner and not os.path.exists(f"/proc/{owner[1]}"):
            remove(name)


class Network:
    """Skips the test where namespaces are not permitted."""

    count = 0

    def __init__(self, hosts):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root for network namespaces")
        remove_of_dead_runs()
        Network.count += 1
        prefix = f"wefttest{os.getpid()}-{Network.count}-"
        self.hosts, self._hub = list(hosts), prefix + "net"
        self.namespaces = {host: prefix + host for host in hosts}
        self.addresses = {host: f"10.231.0.{2 + i}" for i, host in enumerate(hosts)}
        try:
            self._create()
        except (NotPermitted, FileNotFoundError) as reason:
            self.remove()
            raise unittest.SkipTest(f"network namespaces are not permitted here: {reason}") from None

    def _create(self):
        ip("netns", "add", self._hub)
        ip("link", "add", "name", "bridge", "type", "bridge", inside=self._hub)
        ip("link", "set", "bridge", "up", inside=self._hub)
        for host, namespace in self.namespaces.items():
            ip("netns", "add", namespace)
            ip("link", "set", "lo", "up", inside=namespace)
            join(host, namespace, "eth0", self.addresses[host] + "/24", self._hub)

    def silence(self, on=True):
        """Every packet between hosts is lost, and nobody is told: a broken switch."""
        for host in self.hosts:
            subprocess.run(["bridge", "-n", self._hub, "link", "set", "dev", host, "isolated", "on" if on else "off"], check=True)

    def unplug(self, host, on=True):
        """The host's cable is out: it loses its carrier."""
        ip("link", "set", host, "down" if on else "up", inside=self._hub)

    def limit(self, host, rate):
        """What comes to the host comes at this rate, such as "16mbit"; None: at any."""
        change = ["replace", "dev", host, "root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms"] if rate else ["del", "dev", host, "root"]
        subprocess.run(["tc", "-n", self._hub, "qdisc", *change], check=True)

    def remove(self):
        for namespace in [*self.namespaces.values(), self._hub]:
            remove(namespace)
