#!/usr/bin/env python3
"""Does each row of README.md through Weft and its peers in turn (A B C A B C …), each time in a fresh process, and prints
medians, ratios and whether the goal is reached: run.py [ROW...] [--json] [--free] [--runs N]."""
import argparse
import collections
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
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


class Failure(Exception):
    pass


def erlang_command(modules):
    """What runs a row in Erlang: as installed but for the workers, room for a million processes, and reports to a file."""
    done = subprocess.run(["erlc", "-o", modules, *sorted((HERE / "erlang").glob("*.erl"))], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"erlc: {done.stdout}{done.stderr}")
    logger = '[{handler,default,logger_std_h,#{config=>#{file=>"/dev/null",burst_limit_enable=>false}}}]'
    return lambda row: ["erl", "+S", f"{row.cores}:{row.cores}", "+P", "2000000", "-noinput", "-pa", modules,
                        "-kernel", "logger", logger, "-run", "bench_main", "main"]


def commands(modules):
    """Side -> (row -> words), for the sides that are there; says which are not."""
    found = {}
    for side in SIDES:
        program = BUILD / f"bench-actors-{side}"
        if side == "erlang" and shutil.which("erl") and shutil.which("erlc"):
            found[side] = erlang_command(modules)
        elif side != "erlang" and program.exists():
            found[side] = lambda row, program=program: [program]
    reasons = {"caf": "libcaf-dev was not there when it was built", "erlang": "erlang-base is not installed"}
    for side in SIDES:
        if side not in found:
            print(f"bench: {side} is left out: {reasons.get(side, 'not built')}", file=sys.stderr)
    return found


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
        raise Failure(f"{words[0]} {row.name}: {said}") from failure


def more_is_better(row):
    return row.unit == "1/s"


def judge(row, values, factor, peer):
    """One goal: what the ratio is (a pair per round), and whether it is reached; None where nobody can say."""
    if "weft" not in values:
        return {"goal": factor, "peer": peer, "ratio": None, "reached": None}
    if peer == "best":
        peers = [side for side in row.peers if side in values]
        best = max if more_is_better(row) else min
        peer = best(peers, key=lambda side: statistics.median(values[side])) if len(peers) == len(row.peers) else None
    elif peer is None:
        ours = statistics.median(values["weft"])
        return {"goal": factor, "peer": None, "ratio": None, "reached": ours <= factor}
    if peer not in values:
        return {"goal": factor, "peer": peer, "ratio": None, "reached": None}
    ratios = [ours / theirs for ours, theirs in zip(values["weft"], values[peer])]
    ratio = statistics.median(ratios)
    return {"goal": factor, "peer": peer, "ratio": exact(ratio), "ratio_min": exact(min(ratios)), "ratio_max": exact(max(ratios)),
            "reached": ratio >= factor if more_is_better(row) else ratio <= factor}


def exact(value):
    """Short enough to read, exact enough to compare: four significant digits."""
    return float(f"{value:.4g}")


def shown(value):
    return "-" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def summary(values):
    return {"median": exact(statistics.median(values)), "min": exact(min(values)), "max": exact(max(values))}


def print_json(row, values, goals, runs):
    ours = summary(values["weft"]) if "weft" in values else dict.fromkeys(("median", "min", "max"))
    peers = {side: summary(values[side]) for side in row.peers if side in values}
    print(json.dumps({"work": f"actors.{row.name}", "unit": row.unit, "weft": ours["median"],
                      "peers": {side: of["median"] for side, of in peers.items()}, "runs": runs, "min": ours["min"], "max": ours["max"],
                      "peers_min": {side: of["min"] for side, of in peers.items()},
                      "peers_max": {side: of["max"] for side, of in peers.items()}, "goals": goals}), flush=True)


LINE = "{:<22} {:>4} {:>9} {:>9} {:>9} {:>9}  {:<26} {:<16} {:<7}  {}"


def print_header(runs, free):
    print(LINE.format("WORK", "UNIT", *(side.upper() for side in SIDES), "RATIO (MIN .. MAX)", "GOAL", "REACHED",
                      f"MIN .. MAX OF EACH ({runs} runs, {'free placement' if free else 'pinned'})"), flush=True)


def print_lines(row, values, goals):
    spreads = "  ".join(f"{side} {shown(min(of))}..{shown(max(of))}" for side, of in values.items())
    cells = [f"actors.{row.name}", row.unit, *(shown(statistics.median(values[side]) if side in values else None) for side in SIDES)]
    for goal in goals:
        ratio = "-" if goal["ratio"] is None else f"{shown(goal['ratio'])} ({shown(goal['ratio_min'])} .. {shown(goal['ratio_max'])})"
        wanted = f"{'>=' if more_is_better(row) else '<='} {goal['goal']:g}" + (f" x {goal['peer']}" if goal["peer"] else "")
        print(LINE.format(*cells, ratio, wanted, {None: "-", True: "yes", False: "NO"}[goal["reached"]], spreads).rstrip(), flush=True)
        cells, spreads = [""] * len(cells), ""


def run(rows, how):
    with tempfile.TemporaryDirectory() as modules:
        sides = commands(modules)
        if not how.json:
            print_header(how.runs, how.free)
        for row in rows:
            values = collections.defaultdict(list)
            for _ in range(how.runs):
                for side in ["weft", *row.peers]:
                    if side in sides:
                        values[side].append(measure(sides[side](row), side, row, how.free))
            goals = [judge(row, values, *goal) for goal in row.goals]
            print_json(row, values, goals, how.runs) if how.json else print_lines(row, values, goals)


def main():
    parser = argparse.ArgumentParser(prog="bench-actors", description="The actor runtime beside CAF, Erlang and a raw futex.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all when none is named: {' '.join(row.name for row in ROWS)}")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--free", action="store_true", help="not pinned to the row's cores")
    parser.add_argument("--runs", type=int, default=5)
    how = parser.parse_args()
    wrong = [name for name in how.rows if name not in [row.name for row in ROWS]]
    if wrong:
        parser.error(f"what is '{wrong[0]}'?")
    how.runs = max(how.runs, 1)
    try:
        run([row for row in ROWS if not how.rows or row.name in how.rows], how)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
