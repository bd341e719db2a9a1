"""probe with 10,000 targets, an actor each: on its loop and on workers, with what they cost."""
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest
import urllib.request

from tests.support.mesh_processes import Mesh, free_ports
from tests.support.waiting import eventually, hold

WEFT = pathlib.Path(os.environ["WEFT_BUILD"]) / "weft"
COUNT = 10_000
# Over probe with one target; some 20 MiB of it are the configuration of 10,000 and where each value came from.
GROWTH_MAX_MIB = 48
ASKED_MAX_MIB = 128  # after `targets` was asked for: the heap keeps the size of the largest answer, on each thread
CPU_MAX = 0.9       # of a core, at 2,000 checks a second, in a build without optimisation


class Usage:
    """What a process has used so far."""

    def __init__(self, pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        self.cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
        self.at = time.monotonic()


class ManyTargets(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4000)
        accepting = threading.Thread(target=self.accept, daemon=True)
        accepting.start()
        self.addCleanup(accepting.join)
        self.addCleanup(self.listener.shutdown, socket.SHUT_RDWR)

    def accept(self):
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return self.listener.close()

    def start(self, count, *settings, host):
        """Every tenth target is a closed port."""
        open_port, (closed_port,) = self.listener.getsockname()[1], free_ports(1)
        layer = "agent:\n  period: 5s\n  publish: change\n  severity: info\n  concurrent: 64\n  targets:\n" + "".join(
            f"    - {{name: t{number}, tcp: '127.0.0.1:{closed_port if number % 10 == 9 else open_port}'}}\n" for number in range(count))
        return self.mesh.join("probe", *settings, host=host, config=self.mesh.config_with("probe", layer))

    def states(self, count):
        """How many targets are up and down, when all are one of these."""
        found = [status["state"] for status in self.mesh.client.call("probe.targets", timeout=10)]
        self.assertEqual(count, len(found))
        return (found.count("up"), found.count("down")) if "unknown" not in found else None

    def test_ten_thousand_targets_on_the_loop(self):
        self.check("loop", "actors.workers=0")

    def test_ten_thousand_targets_on_two_workers(self):
        self.check("2 workers", "actors.workers=2")

    def checks(self, host):
        admin = self.mesh.client.find("probe", host)["admin"]
        with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
            return sum(float(line.rsplit(" ", 1)[1]) for line in answer.read().decode().splitlines() if line.startswith("weft_probe_checks_total"))

    def check(self, scheduler, setting):
        one = self.start(1, setting, host="one")
        eventually(lambda: self.checks("one") >= 1, seconds=20, pause=0.2, what="the only target is checked")
        alone = Usage(one.process.pid).rss
        one.stop()
        many = self.start(COUNT, setting, host="many")
        eventually(lambda: self.checks("many") >= COUNT, seconds=60, pause=1, what="as many checks as targets")
        before = Usage(many.process.pid)
        hold(5)  # what a period costs
        after = Usage(many.process.pid)
        self.assertEqual((COUNT * 9 // 10, COUNT // 10), eventually(lambda: self.states(COUNT), seconds=60, pause=1, what="all are up or down"))
        self.assertEqual(scheduler, self.mesh.client.call("probe._tree", {"limit": 1})["scheduler"])
        self.shown()
        asked = Usage(many.process.pid).rss - alone
        grown, cpu = after.rss - alone, (after.cpu - before.cpu) / (after.at - before.at)
        print(f"{COUNT} targets every 5 s on {scheduler}: {grown:.1f} MiB more than one ({grown * 1024 / COUNT:.1f} KiB a target), "
              f"{asked:.1f} after it was asked; {cpu * 100:.0f} % of a core")
        self.assertLess(grown, GROWTH_MAX_MIB)
        self.assertLess(asked, ASKED_MAX_MIB)
        self.assertLess(cpu, CPU_MAX)
        self.assertEqual(0, many.stop())

    def shown(self):
        done = subprocess.run([WEFT, "tree", "probe", "--registry", self.mesh.registry], capture_output=True, text=True, timeout=30)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = [line.split("\t")[0].strip() for line in done.stdout.splitlines()]
        self.assertEqual(20, sum(row.startswith("target/") for row in rows), done.stdout)
        self.assertTrue({"gate", "board", "targets"} <= set(rows), done.stdout)
        self.assertTrue(any(row.startswith("…") and row.endswith("more (--all)") for row in rows), done.stdout)


if __name__ == "__main__":
    unittest.main()
