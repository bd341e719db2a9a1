"""The products cost no more to compile than the limits here, in multiples of build_cost/reference.cpp compiled in the same run.

What gcc spends on a file of this tree follows from the lines that it reads and the bytes of code that it writes: over the 41
files of a release build, seconds = 7.7 us x lines + 37 us x bytes explains 93 % of the variance. Both can be counted in the
build folder without compiling, and are the same on a busy machine. What neither shows, such as long evaluation of templates
and constants, is in the CPU time of -fsyntax-only, measured for the dearest files.

When this fails: `./dev bench build --headers` prints the dearest files and headers. Usual causes are a new include in a door
that many files read (declare the type, and include in the .cpp), a template that many files instantiate (move what does not
depend on the type to a .cpp), and a heavy library that a second .cpp includes (put it behind the door that there is). When the
cost is that of new features, raise the limit, and give the old and the new figure in the commit.
"""
import functools
import json
import os
import pathlib
import resource
import shlex
import subprocess
import tempfile
import unittest

import tree

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", tree.ROOT / "build"))
REFERENCE = tree.ROOT / "tests/rules/build_cost/reference.cpp"
NOT_PRODUCTS = ("tests/", "bench/", "examples/")

LINE, BYTE = 7.7e-6, 37e-6  # seconds of gcc 12 on the machine where it was measured; only their ratio matters here
# In references: what the tree costs today, and a tenth more for daily work.
WORST_MAX = 6.2  # 5.61
SUM_MAX = 68.0  # 62.4
# User time of -fsyntax-only, also in references: half more than today, for the noise of a busy machine.
READ_MAX = 9.0  # 6.2
DEAREST = 3


@functools.cache
def lines(path):
    return pathlib.Path(path).read_bytes().count(b"\n")


def code_bytes(objects):
    """The machine code in each object file."""
    shown = subprocess.run(["size", "-A", *objects], capture_output=True, text=True, check=True, cwd=BUILD).stdout
    found = []
    for line in shown.splitlines():
        if line.endswith(":"):
            found.append(0)
        elif line.startswith(".text"):
            found[-1] += int(line.split()[1])
    return dict(zip(objects, found, strict=True))


def dependencies():
    """Object -> every file that its source reads, as ninja recorded them."""
    found, current = {}, None
    for line in subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith(" "):
            current.append(os.path.normpath(BUILD / line.strip()))
        elif line.strip():
            current = found.setdefault(line.split(":")[0], [])
    return found


def product_commands():
    """Object -> how it is compiled."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    return {one["output"]: one["command"] for one in commands if not one["output"].startswith(NOT_PRODUCTS)}


def cost(files, code):
    return LINE * sum(map(lines, files)) + BYTE * code


def compile_reference(*words):
    """What the reference costs, with further words on its command line."""
    with tempfile.TemporaryDirectory() as folder:
        made, listed = pathlib.Path(folder) / "reference.o", pathlib.Path(folder) / "reference.d"
        subprocess.run(["g++", "-std=c++20", "-O2", "-fPIC", "-c", REFERENCE, "-o", made, "-MD", "-MF", listed, *words], check=True)
        files = listed.read_text().replace("\\\n", " ").split()[1:]
        return cost(files, code_bytes([str(made)])[str(made)])


def seconds_to_read(command):
    """User time of the compiler for the front end alone; writes no file."""
    words = [*shlex.split(command), "-fsyntax-only", "-MF", "/dev/null"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(words, check=True, cwd=BUILD, env={**os.environ, "CCACHE_DISABLE": "1"})
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


class BuildCost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        options = {one["name"]: one["value"] for one in json.loads((BUILD / "meson-info/intro-buildoptions.json").read_text())}
        wanted = {"buildtype": "release", "optimization": "2", "b_sanitize": "none", "unity_rooms": True}
        if other := {name: options[name] for name, value in wanted.items() if options[name] != value}:
            raise unittest.SkipTest(f"the limits are for the default build, not for {other}")
        cls.commands = product_commands()
        missing = [name for name in cls.commands if not (BUILD / name).exists()]
        if missing:
            raise AssertionError(f"{len(missing)} object files are missing, such as {missing[0]}: ./dev build makes them")
        read, code = dependencies(), code_bytes(list(cls.commands))
        cls.costs = {name: cost(read[name], code[name]) for name in cls.commands}
        cls.dearest = sorted(cls.costs, key=cls.costs.get, reverse=True)[:DEAREST]
        cls.reference = compile_reference()

    def test_the_dearest_file(self):
        worst = self.costs[self.dearest[0]] / self.reference
        self.assertLessEqual(worst, WORST_MAX, f"{self.dearest[0]} costs as much to compile as {worst:.2f} references; see the head of this file")

    def test_the_sum_of_all_files(self):
        total = sum(self.costs.values()) / self.reference
        self.assertLessEqual(total, SUM_MAX, f"the products cost as much to compile as {total:.1f} references; see the head of this file")

    def test_what_the_compiler_needs_to_read_the_dearest_files(self):
        reference = f"g++ -std=c++20 -MD {REFERENCE}"
        before = seconds_to_read(reference)
        read = {name: seconds_to_read(self.commands[name]) for name in self.dearest}
        unit = min(before, seconds_to_read(reference))
        for name, seconds in read.items():
            self.assertLessEqual(seconds / unit, READ_MAX, f"{name}: {seconds:.1f} s to read, {unit:.2f} s for the reference")

    def test_a_header_and_code_are_in_the_cost(self):
        self.assertGreater(compile_reference("-include", "filesystem"), self.reference)
        self.assertGreater(compile_reference("-O3"), self.reference)


if __name__ == "__main__":
    unittest.main()
