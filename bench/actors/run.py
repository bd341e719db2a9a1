#!/usr/bin/env python3
"""Does each row of README.md through Weft and its peers in turn (A B C A B C …), each time in a fresh process, and prints
medians, ratios and whether the goal is reached: run.py [ROW...] [--json] [--free] [--runs N]
[--peers PEER,...]."""
import collections
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import rounds  # noqa: E402

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", HERE.parents[1] / "build")) / "bench"
SIDES = ["weft", "caf", "erlang", "futex"]
SECONDS_MAX = 60  # for one measurement

# Goals are (factor, peer) for a ratio, where "best" is the better of CAF and Erlang, or (limit, None).
Row = collections.namedtuple("Row", "name unit count cores peers goals")
ROWS = [
    Row("ping_pong", "1/s", 4_000_000, 1, ["caf", "erlang"], [(4, "caf"), (2.7, "erlang")]),
    Row("one_way", "1/s", 4_000_000, 2, ["caf", "erlang"], [(2, "best")]),
    Row("fan_in_100", "1/s", 4_000_000, 1, ["caf", "erlang"], [(2, "best")]),
    Row("request_reply", "ns", 1_000_000, 1, ["caf", "erlang"], [(0.30, "caf")]),
    Row("spawn", "ns", 500_000, 1, ["caf", "erlang"], [(0.25, "caf")]),
    Row("first_answer", "ns", 500_000, 1, ["caf", "erlang"], [(0.7, "erlang")]),
    Row("memory_idle", "B", 1_000_000, 1, ["caf", "erlang"], [(256, None), (128, None)]),
    Row("skynet_1m", "ms", 1_000_000, 1, ["caf", "erlang"], [(0.20, "best")]),
    Row("restart", "us", 10_000, 1, ["caf", "erlang"], [(0.5, "caf")]),
    Row("wake", "us", 3_000, 2, ["futex"], [(1.1, "futex")]),
    Row("latency_loaded", "us", 1_000_000, 2, ["caf", "erlang"], [(1000, None)]),
    Row("idle_cpu", "%", 10_000, 1, ["caf", "erlang"], [(2, None)]),
]
# Erlang's supervisor walks through the restarts of the last second at each restart: more would measure that.
FEWER = {("restart", "erlang"): 1000}


def erlang_command(modules):
    """What runs a row in Erlang: as installed but for the workers, room for a million processes, and reports to a file."""
    done = subprocess.run(["erlc", "-o", modules, *sorted((HERE / "erlang").glob("*.erl"))], capture_output=True, text=True)
    if done.returncode != 0:
        raise rounds.Failure(f"erlc: {done.stdout}{done.stderr}")
    logger = '[{handler,default,logger_std_h,#{config=>#{file=>"/dev/null",burst_limit_enable=>false}}}]'
    return lambda row: ["erl", "+S", f"{row.cores}:{row.cores}", "+P", "2000000", "-noinput", "-pa", modules,
                        "-kernel", "logger", logger, "-run", "bench_main", "main"]


def commands(modules, wanted):
    """Side -> (row -> words), for weft and the `wanted` peers, or all that are there."""
    found = {}
    for side in SIDES:
        program = BUILD / f"bench-actors-{side}"
        if side == "erlang" and shutil.which("erl") and shutil.which("erlc"):
            found[side] = erlang_command(modules)
        elif side != "erlang" and program.exists():
            found[side] = lambda row, program=program: [program]
    reasons = {"caf": "bench/bench-actors-caf was not built (Debian: libcaf-dev)", "erlang": "erl and erlc are not installed (Debian: erlang-base)"}
    missing = {side: reasons.get(side, f"bench/bench-actors-{side} was not built") for side in SIDES if side not in found}
    return {side: found[side] for side in rounds.choose(SIDES[1:], missing, wanted)}


def measure(words, side, row, free):
    def place():
        if not free:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:row.cores])

    try:
        done = subprocess.run([*words, row.name, str(FEWER.get((row.name, side), row.count))], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS_MAX, preexec_fn=place)
        return float(done.stdout.split()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as failure:
        said = done.stderr.strip() if not isinstance(failure, subprocess.TimeoutExpired) else f"not done after {SECONDS_MAX} s"
        raise rounds.Failure(f"{words[0]} {row.name}: {said}") from failure


def judge(row, values, factor, peer):
    """A goal against "best" counts only where all the peers are there."""
    if peer == "best":
        there = [side for side in row.peers if side in values]
        better = max if rounds.more_is_better(row) else min
        if len(there) == len(row.peers):
            peer = better(there, key=lambda side: statistics.median(values[side]))
    return rounds.judge(row, values, factor, peer)


def run(rows, how):
    with tempfile.TemporaryDirectory() as modules:
        sides = commands(modules, how.peers)
        table = None if how.json else rounds.Table(SIDES, how.runs, "free placement" if how.free else "pinned")
        for row in rows:
            values = collections.defaultdict(list)
            for _ in range(how.runs):
                for side in ["weft", *row.peers]:
                    if side in sides:
                        values[side].append(measure(sides[side](row), side, row, how.free))
            told = rounds.Row(f"actors.{row.name}", row.unit, row.goals)
            goals = [judge(row, values, *goal) for goal in row.goals]
            rounds.print_json(told, values, goals, how.runs) if how.json else table.add(told, values, goals)


if __name__ == "__main__":
    sys.exit(rounds.main("bench-actors", "The actor runtime beside CAF, Erlang and a raw futex.", "ROW", ROWS, run, "the row's cores", SIDES[1:]))
