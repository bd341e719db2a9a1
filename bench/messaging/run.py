#!/usr/bin/env python3
"""Does each work of README.md through Weft, raw libzmq and NATS in turn (A B C A B C …), each time with fresh processes on one
core, and prints medians, ratios, CPU time and whether the goal is reached: run.py [WORK...] [--json] [--free]
[--runs N] [--peers PEER,...] [--quick]."""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import rounds  # noqa: E402

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", HERE.parents[1] / "build")) / "bench"
NATS_SERVER = shutil.which("nats-server") or "/usr/sbin/nats-server"
SECONDS_MAX = 60  # for one measurement
QUICK = 100  # --quick: that part of the work

# A work is measured once a round and gives one row or more: (id, key of the figure, unit, goals). A pseudo side of a work,
# "over tcp", is Weft again in another work.
Work = collections.namedtuple("Work", "name count peers rows")
US, RATE, BYTES = "us", "1/s", "B/s"
WORKS = [
    Work("round_trip", 20_000, ["zmq", "nats"], [
        ("call.round_trip_p50", "p50", US, [(1.10, "zmq"), (0.65, "nats")]), ("call.round_trip_p99", "p99", US, [(1.20, "zmq")])]),
    Work("round_trip_ipc", 20_000, ["over tcp", "zmq"], [
        ("call.round_trip_ipc_p50", "p50", US, [(1.0, "over tcp")]), ("call.round_trip_ipc_p99", "p99", US, [])]),
    Work("pipelined_10", 100_000, ["zmq", "nats"], [("call.pipelined_10", "rate", RATE, [(0.9, "zmq")])]),
    Work("pipelined_1000", 500_000, ["zmq", "nats"], [("call.pipelined_1000", "rate", RATE, [(1.0, "zmq"), (2.0, "nats")])]),
    Work("fan_out_1", 1_000_000, ["zmq", "nats"], [("publish.fan_out_1", "rate", RATE, [(1.5, "zmq"), (2.0, "nats")])]),
    Work("fan_out_100", 20_000, ["zmq", "nats"], [("publish.fan_out_100", "rate", RATE, [(1.0, "zmq"), (1.5, "nats")])]),
    Work("bytes_64k", 15_000, ["zmq", "nats"], [("call.bytes_64k", "bytes", BYTES, [(0.95, "zmq")])]),
    Work("curve_pipelined", 200_000, ["zmq"], [("call.curve_pipelined", "rate", RATE, [(1.5, "zmq")])]),
    Work("memory_idle", 300, ["zmq"], [
        ("link.memory_idle", "bytes", "B", [(65_536, None)]), ("link.memory_idle_peer", "bytes_peer", "B", [])]),
]
SIDES = ["weft", "over tcp", "zmq", "nats"]
OVER_TCP = {"round_trip_ipc": "round_trip"}


def missing_sides():
    """The sides that cannot run here, each with the reason and what to install."""
    missing = {}
    for side in SIDES:
        reasons = [] if (BUILD / program(side)).exists() else [f"bench/{program(side)} was not built"]
        if side == "nats":
            reasons += [] if os.access(NATS_SERVER, os.X_OK) else ["nats-server is not installed"]
        if reasons:
            missing[side] = ", ".join(reasons) + (" (Debian: libnats-dev, nats-server)" if side == "nats" else "")
    return missing


def program(side):
    return f"bench-messaging-{'weft' if side == 'over tcp' else side}"


class Stage:
    """The processes of one measurement, in a folder of their own, all on one core."""

    def __init__(self, folder, free):
        self.folder, self.free, self.servers = folder, free, []

    def place(self):
        if not self.free:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])

    def start(self, words, **how):
        process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, preexec_fn=self.place, text=True, **how)
        self.servers.append(process)
        return process

    def endpoint_of(self, words):
        """Starts a server that prints one line when it is there."""
        line = self.start(words, stdout=subprocess.PIPE).stdout.readline().strip()
        if not line:
            raise rounds.Failure(f"{' '.join(map(str, words))} did not start")
        return line

    def nats_server(self):
        self.start([NATS_SERVER, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", "."], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for file in pathlib.Path(self.folder).glob("*.ports"):
                with contextlib.suppress(ValueError):  # not whole yet
                    return json.loads(file.read_text())["nats"][0]
            time.sleep(0.01)
        raise rounds.Failure("nats-server did not say its port within 10 s")

    def measure(self, words):
        pids = [str(process.pid) for process in self.servers]
        try:
            done = subprocess.run([*words, *pids], cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                  timeout=SECONDS_MAX, preexec_fn=self.place)
            return json.loads(done.stdout)
        except subprocess.TimeoutExpired as failure:
            raise rounds.Failure(f"{' '.join(map(str, words))}: not done after {SECONDS_MAX} s") from failure
        except ValueError as failure:
            raise rounds.Failure(f"{' '.join(map(str, words))}: {done.stderr.strip()}") from failure

    def end(self):
        for process in self.servers:
            process.terminate()
        for process in self.servers:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(work, side, how):
    name = OVER_TCP[work.name] if side == "over tcp" else work.name
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder, how.free)
        try:
            upstream = []
            if side == "nats":
                upstream = [stage.nats_server()]
            elif side != "zmq":
                upstream = [stage.endpoint_of([BUILD / "bench-messaging-registry", name])]
            endpoint = stage.endpoint_of([BUILD / program(side), "serve", name, *upstream])
            count = work.count // QUICK if how.quick else work.count
            return stage.measure([BUILD / program(side), "measure", name, str(count), endpoint])
        finally:
            stage.end()


def run(works, how):
    there = rounds.choose(SIDES[1:], missing_sides(), how.peers and ["over tcp", *how.peers])
    table = None if how.json else rounds.Table(SIDES, how.runs, "free placement" if how.free else "one core")
    for work in works:
        figures = collections.defaultdict(list)
        for _ in range(how.runs):
            for side in ["weft", *work.peers]:
                if side in there:
                    figures[side].append(measure(work, side, how))
        tell(work, figures, how, table)


def tell(work, figures, how, table):
    cpu = {side: rounds.exact(statistics.median(one["cpu_us"] for one in of)) for side, of in figures.items() if "cpu_us" in of[0]}
    for name, key, unit, goals in work.rows:
        row = rounds.Row(name, unit, goals)
        values = {side: [one[key] for one in of] for side, of in figures.items()}
        judged = [rounds.judge(row, values, *goal) for goal in goals]
        if how.json:
            rounds.print_json(row, values, judged, how.runs, cpu_us=cpu)
        else:
            table.add(row, values, judged, f"; CPU us: {', '.join(f'{side} {rounds.shown(us)}' for side, us in cpu.items())}" if cpu else "")


if __name__ == "__main__":
    sys.exit(rounds.main("bench-messaging", "Calls and publications beside raw libzmq and NATS.", "WORK", WORKS, run, "one core", ["zmq", "nats"],
                         quick=f"1/{QUICK} of the work: to see that it runs"))
