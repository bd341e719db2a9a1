#!/usr/bin/env python3
"""What a clean release build of the products costs: build.py [TREE...] [--files N] [--headers] [--runs N] [--json].

A TREE is a commit, or a folder with a checkout; without one it is the checkout that this file belongs to. With several,
their builds alternate, so that a machine that is slow for a while is slow for all. Each compiler and linker call is
counted with the CPU seconds that it and its children used; the compiler cache is off. Printed are the sum of user
seconds (the figure to compare: system time and the clock depend on the machine's other work), its ratio to the first
tree, and the dearest files. --headers also compiles each header of the last tree alone and multiplies by the number of
files that include it.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[1]


def launch(log, command):
    """Runs one compiler or linker call in the name of build.py and adds its CPU seconds to `log`."""
    status = subprocess.call(command)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = command[command.index("-o") + 1] if "-o" in command[:-1] else "?"
    line = json.dumps({"output": output, "user": used.ru_utime, "system": used.ru_stime}) + "\n"
    with open(log, "ab", buffering=0) as file:
        file.write(line.encode())
    return status


def checkout(tree, scratch):
    """A folder with the sources of `tree`."""
    if os.path.isdir(tree):
        return pathlib.Path(tree).resolve()
    folder = scratch / f"tree-{tree}"
    if not folder.exists():
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", folder, tree], check=True)
    return folder


def products(build):
    """What gets installed: the same targets that `./dev build` makes."""
    targets = json.loads(subprocess.check_output(["meson", "introspect", build, "--targets"]))
    return [os.path.relpath(name, build) for target in targets if target["installed"] for name in target["filename"]]


def build_once(source, scratch, jobs):
    """The calls of one clean build, by output."""
    build = pathlib.Path(tempfile.mkdtemp(prefix="build-", dir=scratch))
    log = build.with_suffix(".calls")
    launcher = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(HERE))} --launch {shlex.quote(str(log))}"
    environment = dict(os.environ, CCACHE_DISABLE="1", CXX=f"{launcher} g++", CXX_LD="lld")
    subprocess.run(["meson", "setup", build, source], check=True, env=environment, stdout=subprocess.DEVNULL)
    log.write_text("")  # what the checks of the configuration compiled is not the build's
    subprocess.run(["ninja", "-C", build, "--quiet", f"-j{jobs}", *products(build)], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    return build, [json.loads(line) for line in log.read_text().splitlines()]


def headers_of(build, source):
    """How many object files of the build include each header of the tree."""
    counts = collections.Counter()
    for line in subprocess.check_output(["ninja", "-C", build, "-t", "deps"], text=True).splitlines():
        path = pathlib.Path(os.path.normpath(build / line.strip())) if line.startswith(" ") else None
        if path and path.suffix == ".hpp" and path.is_relative_to(source) and not path.is_relative_to(build):
            counts[path.relative_to(source)] += 1
    return counts


def cost_of_header(source, header):
    """User seconds to read it, alone, without generating code."""
    command = ["g++", "-std=c++20", "-fsyntax-only", "-x", "c++", f"-I{source / 'common'}", f"-I{source}", source / header]
    with tempfile.NamedTemporaryFile() as log:
        environment = dict(os.environ, CCACHE_DISABLE="1")
        subprocess.call([sys.executable, "-S", HERE, "--launch", log.name, *command], env=environment,
                        stderr=subprocess.DEVNULL)
        return json.loads(log.read())["user"]


def print_headers(build, source, count, jobs):
    counts = dict(headers_of(build, source).most_common(4 * count))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        alone = dict(zip(counts, pool.map(lambda header: cost_of_header(source, header), counts)))
    print("\nheaders: user seconds alone x files that include it (headers include each other: the sums overlap)")
    for header in sorted(counts, key=lambda one: -alone[one] * counts[one])[:count]:
        print(f"{alone[header]:7.2f} x {counts[header]:3d} = {alone[header] * counts[header]:7.1f}  {header}")


def print_files(calls, count):
    print("\nfiles: user seconds of the dearest outputs")
    for call in sorted(calls, key=lambda one: -one["user"])[:count]:
        print(f"{call['user']:7.2f}  {call['output']}")
    rooms = collections.Counter()
    for call in calls:
        rooms[call["output"].partition(".p/")[0]] += call["user"]
    print("\ntargets: user seconds")
    for name, user in rooms.most_common(count):
        print(f"{user:7.1f}  {name}")


def measure(options, scratch):
    sources = [checkout(tree, scratch) for tree in options.trees]
    sums = {tree: [] for tree in options.trees}
    for _ in range(options.runs):
        for tree, source in zip(options.trees, sources):
            build, calls = build_once(source, scratch, options.jobs)
            sums[tree].append({"user": sum(call["user"] for call in calls), "system": sum(call["system"] for call in calls),
                               "calls": len(calls), "worst": max(call["user"] for call in calls)})
    first = statistics.median(run["user"] for run in sums[options.trees[0]])
    for tree in options.trees:
        medians = {key: statistics.median(run[key] for run in sums[tree]) for key in ("user", "system", "calls", "worst")}
        medians |= {"tree": tree, "ratio": medians["user"] / first}
        if options.json:
            print(json.dumps(medians))
        else:
            print("{tree}: {user:.1f} s user, {system:.1f} s system, {calls:.0f} calls, dearest {worst:.1f} s, "
                  "ratio {ratio:.3f}".format(**medians))
    if not options.json:
        print_files(calls, options.files)
    if options.headers:
        print_headers(build, sources[-1], options.files, options.jobs)


def main(words):
    if words[:1] == ["--launch"]:
        return launch(words[1], words[2:])
    parser = argparse.ArgumentParser(prog="./dev bench build", description=__doc__.partition("\n")[0])
    parser.add_argument("trees", nargs="*", default=[str(ROOT)], metavar="TREE", help="a commit or a folder")
    parser.add_argument("--files", type=int, default=15, metavar="N", help="how many files and headers to print")
    parser.add_argument("--headers", action="store_true", help="the dearest headers too")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="builds of each tree; medians are printed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="compilers at a time")
    parser.add_argument("--json", action="store_true", help="one object a tree")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="weft-bench-build-") as scratch:
        try:
            measure(options, pathlib.Path(scratch))
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "prune"], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
