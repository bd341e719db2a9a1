#!/usr/bin/env python3
"""Runs benchmarks of this folder by name, all when none is named: run.py [NAME...] [--json] [--free] [--runs N]."""
import os
import pathlib
import subprocess
import sys

NAMES = ["messaging", "actors"]
USAGE = f"usage: ./dev bench [NAME...] [--json] [--free] [--runs N]\nnames: {' '.join(NAMES)}"


def main(words):
    names, flags = [], []
    while words:
        word = words.pop(0)
        if word in ("--json", "--free"):
            flags.append(word)
        elif word == "--runs" and words:
            flags += [word, words.pop(0)]
        elif word in ("-h", "--help"):
            print(USAGE)
            return 0
        elif word in NAMES:
            names.append(word)
        else:
            print(f"bench: what is '{word}'?\n{USAGE}", file=sys.stderr)
            return 2
    build = pathlib.Path(os.environ.get("WEFT_BUILD", pathlib.Path(__file__).resolve().parents[1] / "build"))
    return max(subprocess.call([build / "bench" / f"bench-{name}", *flags]) for name in names or NAMES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
