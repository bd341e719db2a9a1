"""An agent of 40 lines builds against the installed library with pkg-config, and does what docs/writing-an-agent.md says."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from tests.support.mesh import Mesh
from tests.support.waiting import eventually

BUILD = pathlib.Path(os.environ["WEFT_BUILD"])
EXAMPLE = pathlib.Path(os.environ["WEFT_SOURCE"]) / "docs/examples/greeter/greeter.cpp"


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.run_ok(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder])
        packages = next(cls.folder.rglob("weft.pc")).parent
        cls.libraries = packages.parent
        flags = cls.run_ok(["pkg-config", "--cflags", "--libs", "weft"],
                           env=os.environ | {"PKG_CONFIG_PATH": str(packages), "PKG_CONFIG_SYSROOT_DIR": str(cls.folder)})
        cls.program = cls.folder / "weft-greeter"
        cls.run_ok(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", EXAMPLE, "-o", cls.program, *shlex.split(flags)])

    @staticmethod
    def run_ok(command, **more):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, **more)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def greeter(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LD_LIBRARY_PATH": str(self.libraries)}
        return subprocess.run([self.program, *words], capture_output=True, text=True, env=environment, cwd=self.folder, timeout=60)

    def test_the_example_has_at_most_40_lines(self):
        self.assertLessEqual(len(EXAMPLE.read_text().splitlines()), 40)

    def test_help_says_what_it_is(self):
        done = self.greeter("--help")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("Greets people", done.stdout)

    def test_a_good_configuration_is_checked_and_nothing_starts(self):
        done = self.greeter("--check", "--set", "agent.greeting=servus")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_mistakes_of_the_configuration_are_all_told_and_end_with_78(self):
        done = self.greeter("--check", "--set", "log.levl=debug", "--set", "agent.greting=servus")
        self.assertEqual(78, done.returncode, done.stdout + done.stderr)
        self.assertIn("did you mean 'level'", done.stdout + done.stderr)
        self.assertIn("did you mean 'greeting'", done.stdout + done.stderr)

    def test_in_a_mesh_it_is_called_and_hears_what_is_published(self):
        agents = {"greeter": {"program": str(self.program), "env": {"LD_LIBRARY_PATH": str(self.libraries)}, "config": {"greeting": "servus"}}}
        with Mesh(agents) as mesh:
            first = mesh.json("call", "greeter.greet", '{"name": "Ada"}')
            self.assertEqual({"text": "servus, Ada", "greeted": 1}, first)
            refused = mesh.weft("call", "greeter.greet", '{"name": ""}', check=False)
            self.assertEqual(1, refused.returncode)
            self.assertIn("WEFT-1001", refused.stderr)
            misspelt = mesh.weft("call", "greeter.greet", '{"nam": "Ada"}', check=False)
            self.assertEqual(1, misspelt.returncode)
            self.assertIn("payload: name: missing; did you mean 'name' instead of 'nam'?", misspelt.stderr)
            newer = mesh.json("call", "greeter.greet", '{"name": "Bob", "in_a_newer_version": true}')
            self.assertEqual("servus, Bob", newer["text"])
            mesh.weft("pub", "people.arrived", '{"name": "Grace"}')
            eventually(lambda: mesh.json("call", "greeter.greet", '{"name": "Ada"}')["greeted"] >= 3, what="the event was counted")

    def test_the_links_of_the_installed_documentation_lead_somewhere(self):
        folder = next(self.folder.rglob("doc/weft"))
        links = [(page, target.partition("#")[0]) for page in folder.rglob("*.md") for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
                 if not re.match(r"[a-z]+:|#", target)]
        self.assertEqual([], [f"{page.relative_to(folder)}: {target}" for page, target in links if not (page.parent / target).exists()])
        self.assertGreater(len(links), 100)

    def test_the_command_finds_its_programs_where_they_are_installed(self):
        binaries = next(self.folder.rglob("bin/weft")).parent
        missing = [name for name in ("weft", "weft-registry", "weft-errorbus", "weft-node", "weft-sysmon", "weft-digest", "weft-logwatch",
                                     "weft-probe", "weft-echo") if not (binaries / name).exists()]
        self.assertEqual([], missing)


if __name__ == "__main__":
    unittest.main()
