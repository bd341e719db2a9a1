"""The tree as the house rules see it: its files, their text, what they include."""
import functools
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(os.environ.get("WEFT_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@functools.cache
def files():
    """Every file that is committed or could be, as paths relative to ROOT."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:  # a source archive
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not path.relative_to(ROOT).parts[0].startswith("build")]
    return sorted(name for name in set(names) if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink())


def with_suffix(*suffixes, under=""):
    return [name for name in files() if name.endswith(suffixes) and name.startswith(under)]


@functools.cache
def text(name):
    return (ROOT / name).read_text(errors="replace")


def path_of(include, includer=""):
    """The file in the tree that `#include "include"` means; None for what lies outside."""
    candidates = ["common/" + include, include, str(pathlib.PurePosixPath(includer).parent / include)]
    return next((name for name in candidates if name in _known()), None)


@functools.cache
def _known():
    return frozenset(files())


def includes(name):
    """(text of the include, file in the tree or None) of each quoted include of `name`."""
    return [(include, path_of(include, name)) for include in INCLUDE.findall(text(name))]


@functools.cache
def closure(name):
    """`name` and every file of the tree that it includes, directly or not."""
    seen, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += [path for _, path in includes(one) if path]
    return frozenset(seen)


def room_of(name):
    """'common/weft/net/socket.cpp' is of room 'net', 'agents/digest/main.cpp' of 'agents/digest', 'node/x.cpp' of 'node'."""
    parts = pathlib.PurePosixPath(name).parts
    if parts[0] == "common":
        return parts[2] if len(parts) > 3 else "replica" if name == "common/weft/replica.hpp" else "agent"
    if parts[0] == "agents":
        return "/".join(parts[:2])
    return parts[0]


def is_test(name):
    """Tests lie in tests/, those of an agent or an example beside it."""
    return name.startswith("tests/") or name.endswith("_test.cpp")
