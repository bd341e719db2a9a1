#!/usr/bin/env python3
"""Runs benchmarks of this folder by name, all when none is named: run.py [NAME...] [FLAG...]."""
import os
import pathlib
import subprocess
import sys

NAMES = ["messaging", "actors", "instructions"]
FLAGS = {"--json": NAMES, "--free": ["messaging", "actors"], "--runs": ["messaging", "actors"], "--peers": ["messaging", "actors"],
         "--quick": ["messaging"], "--update": ["instructions"]}
WITH_VALUE = ["--runs", "--peers"]
USAGE = f"""usage: ./dev bench [NAME...] [--json] [--free] [--runs N] [--peers PEER,...] [--quick] [--update]
       ./dev bench soak [--seconds 600] [--rate 1000] [--json]
       ./dev bench build [TREE...] [--headers] [--runs N] [--json]
names: {' '.join(NAMES)}; soak and build only when named, alone
--quick is for messaging, --update for instructions
--peers measures only those beside weft, and one that is missing is an error: zmq nats (messaging), caf erlang futex (actors)"""


def main(words):
    if words[:1] == ["soak"]:
        return subprocess.call([sys.executable, pathlib.Path(__file__).with_name("soak.py"), *words[1:]])
    names, flags = [], {}
    while words:
        word = words.pop(0)
        if word in WITH_VALUE and words:
            flags[word] = [word, words.pop(0)]
        elif word in FLAGS and word not in WITH_VALUE:
            flags[word] = [word]
        elif word in ("-h", "--help"):
            print(USAGE)
            return 0
        elif word in NAMES:
            names.append(word)
        else:
            print(f"bench: what is '{word}'?\n{USAGE}", file=sys.stderr)
            return 2
    build = pathlib.Path(os.environ.get("WEFT_BUILD", pathlib.Path(__file__).resolve().parents[1] / "build"))
    return max(run(build, name, flags) for name in names or NAMES)


def run(build, name, flags):
    """With the flags that it knows."""
    known = [word for flag, words in flags.items() if name in FLAGS[flag] for word in words]
    return subprocess.call([build / "bench" / f"bench-{name}", *known])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
