#!/usr/bin/env python3
"""Does a mesh grow? Calls, streams, publications and work that is cancelled, for minutes; then the slopes of memory and descriptors.

At first each process stands still for a moment: its queues and pools, and those of who waits for it, reach the size that a busy machine
would give them some time. soak.py [--seconds 600] [--rate 1000] [--json]: exit code 1 when a process grows by more than noise."""
import argparse
import itertools
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build"))
os.environ.setdefault("WEFT_PROGRAM_PATH", str(BUILD))
os.environ.setdefault("WEFT_SOURCE", str(ROOT))
sys.path.insert(0, str(ROOT))
from tests.support.mesh_client import CallFailed, Client  # noqa: E402
from tests.support.mesh_processes import Mesh  # noqa: E402

SAMPLE_SECONDS = 5
WARM_UP = 0.3  # of the run: pools and caches fill
STALL_SECONDS = 1  # of a lease of 3
GROWTH_MAX = 0.01  # of its memory, in ten minutes
NOISE_BYTES = 512 * 1024


def sample(pid):
    """(resident bytes, descriptors)"""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"/proc/{pid}/fd"))


def slope(points):
    """The median of the slopes of all pairs (Theil and Sen), units a second: one step up is no slope, a leak is."""
    return statistics.median([(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.combinations(points, 2)] or [0.0])


def stall(process):
    """It stands still while all others go on."""
    process.process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_SECONDS)
    process.process.send_signal(signal.SIGCONT)
    time.sleep(2 * STALL_SECONDS)


class Failed(Exception):
    """Of the work."""


class Work(threading.Thread):
    """Repeats `step` until told to end; counts how often it failed."""

    def __init__(self, mesh, step):
        super().__init__(daemon=True)
        self._client, self._step, self._ended = Client(mesh.registry), step, threading.Event()
        self.done = self.failed = 0
        self.start()

    def run(self):
        while not self._ended.is_set():
            try:
                self.done += self._step(self._client)
            except (Failed, CallFailed, TimeoutError, LookupError) as trouble:
                self.failed += 1
                print(f"failed: {trouble}", file=sys.stderr, flush=True)
                time.sleep(0.1)

    def end(self):
        self._ended.set()
        self.join()


def load(rate):
    def step(client):
        reply = client.call("caller.load", {"target": "echo.echo", "rate": rate, "seconds": 5, "timeout_ms": 10_000}, timeout=30)
        if reply["failed"]:
            raise Failed(str(reply["errors"]))
        return reply["ok"]
    return step


def stream(client):
    return client.call("caller.fetch", {"target": "echo.blob", "bytes": 16 << 20}, timeout=30)["chunks"]


def burst(client):
    return client.call("echo.burst", {"count": 2000, "rate": 1000}, timeout=30)["count"]


def given_up(client):
    """A call that nobody waits for any more."""
    try:
        client.call("echo.delay", {"ms": 50}, timeout=0.01)
    except (TimeoutError, CallFailed):  # CallFailed: the callee told first
        time.sleep(0.05)
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    mesh = Mesh()
    try:
        watched = {"registry": mesh.processes[0], "echo": mesh.join("echo"), "caller": mesh.join("caller", program="weft-echo")}
        weft = subprocess.Popen([BUILD / "weft", "sub", "echo.#", "--json", "--registry", mesh.registry], stdout=subprocess.DEVNULL)
        work = [Work(mesh, step) for step in (load(arguments.rate), stream, burst, given_up)]
        time.sleep(2 * STALL_SECONDS)
        for process in watched.values():
            stall(process)
        for one in work:
            one.failed = 0
        points, begin = {name: [] for name in watched}, time.monotonic()
        while time.monotonic() - begin < arguments.seconds:
            time.sleep(SAMPLE_SECONDS)
            for name, process in watched.items():
                points[name].append((time.monotonic() - begin, *sample(process.process.pid)))
        for one in work:
            one.end()
        weft.send_signal(signal.SIGTERM)
        weft.wait(10)
    finally:
        mesh.close()
    grew = False
    for name, all_points in points.items():
        kept = [point for point in all_points if point[0] >= WARM_UP * arguments.seconds]
        memory = slope([(at, size) for at, size, _ in kept]) * 600
        descriptors = slope([(at, count) for at, _, count in kept]) * 600
        resident = kept[-1][1]
        bad = memory > max(NOISE_BYTES, GROWTH_MAX * resident) or descriptors > 1
        grew = grew or bad
        row = {"process": name, "resident_bytes": resident, "descriptors": kept[-1][2], "bytes_in_10_minutes": round(memory),
               "descriptors_in_10_minutes": round(descriptors, 2), "resident_at_first": kept[0][1], "grows": bad}
        print(json.dumps(row) if arguments.json else "{process}: {resident_bytes} bytes, at first {resident_at_first}, {bytes_in_10_minutes:+} in ten minutes; "
              "{descriptors} descriptors and {descriptors_in_10_minutes:+}".format(**row) + (" GROWS" if bad else ""), flush=True)
    print(f"calls {work[0].done}, chunks {work[1].done}, events {work[2].done}, given up {work[3].done}; failed: {sum(one.failed for one in work)}",
          file=sys.stderr)
    return 1 if grew or any(one.failed for one in work) else 0


if __name__ == "__main__":
    sys.exit(main())
