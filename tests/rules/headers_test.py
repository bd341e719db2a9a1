"""Every public header compiles alone. A header whose text and includes are as at the last good run is not compiled."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import unittest

import rooms_test
import tree

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", tree.ROOT / "build"))
COMPILER = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
            "-Wno-pragma-once-outside-header", "--param=ggc-min-heapsize=524288", f"-I{tree.ROOT / 'common'}", f"-I{tree.ROOT}"]


def public_headers():
    """Doors, and what doors of common rooms include: that is what gets installed."""
    doors = [name for name in tree.with_suffix(".hpp") if rooms_test.is_door(name) and not tree.is_test(name)]
    installed = {name for door in doors if door.startswith("common/") for name in tree.closure(door)}
    return sorted(set(doors) | installed)


def fingerprint(header):
    digest = hashlib.sha256(" ".join(COMPILER).encode())
    for name in sorted(tree.closure(header)):
        digest.update(name.encode() + tree.text(name).encode())
    return digest.hexdigest()


def compile_alone(header):
    source = f'#include "{header.removeprefix("common/")}"\n'
    done = subprocess.run([*COMPILER, "-x", "c++", "-"], input=source, text=True, capture_output=True, cwd=tree.ROOT)
    return "" if done.returncode == 0 else f"{header}:\n{done.stderr[:2000]}"


def installed_headers():
    """What each meson.build of the library gives to install_headers."""
    found = set()
    for build in [name for name in tree.files() if name.startswith("common/") and name.endswith("meson.build")]:
        for call in re.findall(r"install_headers\(([^)]*)\)", tree.text(build)):
            found |= {build.removesuffix("meson.build") + name for name in re.findall(r"'([\w/]+\.hpp)'", call)}
    return found


class Headers(unittest.TestCase):
    def test_what_the_doors_of_the_library_include_is_installed(self):
        doors = ("common/weft/agent.hpp", "common/weft/replica.hpp", "common/weft/actor.hpp", "common/weft/actor_test.hpp")
        needed = {name for door in doors for name in tree.closure(door)}
        self.assertEqual([], sorted(needed - installed_headers()))
        self.assertEqual([], sorted(name for name in installed_headers() - needed if not name.startswith("common/weft/base/")))

    def test_every_public_header_compiles_alone(self):
        good = BUILD / "headers-that-compile-alone"
        known = set(good.read_text().split()) if good.exists() else set()
        prints = {header: fingerprint(header) for header in public_headers()}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            fresh = [header for header in prints if prints[header] not in known]
            mistakes = dict(zip(fresh, pool.map(compile_alone, fresh)))
        if BUILD.exists():
            good.write_text("\n".join(prints[header] for header in prints if not mistakes.get(header)))
        self.assertEqual([], [mistake for mistake in mistakes.values() if mistake])
        self.assertGreater(len(prints), 5)


if __name__ == "__main__":
    unittest.main()
