#!/usr/bin/env python3
"""Counts the instructions that a message costs at each end (valgrind --tool=callgrind), and compares them with those kept in
instructions.json: run.py [--json] [--update]."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = pathlib.Path(os.environ.get("WEFT_BUILD", HERE.parents[1] / "build")) / "bench/bench-instructions-work"
KEPT = HERE / "instructions.json"
TOLERANCE = 0.05
MESSAGES_A_ROUND = 100
FEW, MANY = 10, 50  # rounds; what both have in common is not counted
# What malloc costs goes by what else lies in the heap, a path's length is enough: a call cost 2531 or 2759 by that. With caches that do
# not run full each allocation costs the same.
HEAP = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=65535"}
NAMES = ["call_send", "call_serve", "call_answer", "event_send", "event_receive"]


class Failure(Exception):
    pass


def compiled():
    return subprocess.run([PROGRAM], capture_output=True, text=True, check=True).stdout.strip()


def missing():
    """Why nothing can be counted here; None when it can."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed"
    if not PROGRAM.exists():
        return f"{PROGRAM.name} was not built"
    if KEPT.exists() and compiled() != (kept := json.loads(KEPT.read_text()))["compiled"]:
        return f"instructions are kept for {kept['compiled']}, this is {compiled()}"
    return None


def profile(rounds):
    """Name -> instructions, all that the function led to."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_", "LD_"))} | HEAP
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "profile"
        done = subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", PROGRAM, str(rounds), folder],
                              env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode != 0:
            raise Failure(f"{PROGRAM.name}: {done.stderr.strip()}")
        return inclusive(out.read_text())


def inclusive(text):
    """The cost of a call stands two lines below what is called: `cfn=(id) name`, `calls=…`, `line cost`."""
    names, costs, called = {}, dict.fromkeys(NAMES, 0), None
    for line in text.splitlines():
        if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            if found[2]:
                names[found[1]] = found[2]
            if line.startswith("cfn="):
                called = names[found[1]].removeprefix("measured_")
        elif line.startswith("calls="):
            wanted = called
            called = "cost follows"
        elif called == "cost follows":
            if wanted in costs:
                costs[wanted] += int(line.split()[1])
            called = None
    return costs


def count():
    few, many = profile(FEW), profile(MANY)
    return {name: round((many[name] - few[name]) / ((MANY - FEW) * MESSAGES_A_ROUND)) for name in NAMES}


def main():
    parser = argparse.ArgumentParser(prog="bench-instructions", description="Instructions that a message costs at each end.")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--update", action="store_true", help=f"keeps what was counted in {KEPT.name}")
    how = parser.parse_args()
    why = missing()
    if why and not (how.update and why.startswith("instructions are kept")):
        print(f"bench: {why}", file=sys.stderr)
        return 1
    try:
        counted = count()
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    kept = json.loads(KEPT.read_text())["instructions"] if KEPT.exists() else {}
    if how.update:
        KEPT.write_text(json.dumps({"compiled": compiled(), "tolerance": TOLERANCE, "instructions": counted}, indent=2) + "\n")
    for name in NAMES:
        ratio = counted[name] / kept[name] if name in kept else None
        if how.json:
            print(json.dumps({"work": f"instructions.{name}", "unit": "instructions a message", "weft": counted[name], "kept": kept.get(name)}))
        else:
            print(f"{name:<16} {counted[name]:>8} a message" + (f", {kept[name]} were kept ({ratio - 1:+.1%})" if ratio else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
