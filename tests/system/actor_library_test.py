"""The examples of the actor runtime build outside of the tree against the installed weft-actor alone: no ZeroMQ, no Boost.Asio."""
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["WEFT_BUILD"])
EXAMPLES = pathlib.Path(os.environ["WEFT_SOURCE"]) / "examples"
COMPILER = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
PROGRAMS = ["counter", "workers", "timeout"]
TEST = """#include <weft/actor_test.hpp>
struct Ping {};
struct Echo {
  using Messages = weft::actor::Handles<Ping>;
  void on(Ping) {}
};
int main() {
  weft::actor::TestSystem system;
  const auto echo = system.spawn<Echo>().value();
  if (!system.send(echo, Ping{})) return 1;
  system.expect<Ping>(echo);
}
"""


def run_ok(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class ActorLibrary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run_ok(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder])
        packages = next(cls.folder.rglob("weft-actor.pc")).parent
        cls.library = packages.parent / "libweft-actor.so"
        cls.environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(packages.parent)}
        package = os.environ | {"PKG_CONFIG_PATH": str(packages), "PKG_CONFIG_SYSROOT_DIR": str(cls.folder)}
        cls.include = shlex.split(run_ok(["pkg-config", "--cflags", "weft-actor"], env=package))
        cls.link = shlex.split(run_ok(["pkg-config", "--libs", "weft-actor"], env=package))
        for name in PROGRAMS:
            run_ok([*COMPILER, *cls.include, EXAMPLES / f"{name}.cpp", "-o", cls.folder / name, *cls.link])

    def test_the_examples_run(self):
        for name in PROGRAMS:
            with self.subTest(name):
                self.assertTrue(run_ok([self.folder / name], env=self.environment))

    def test_they_compile_against_the_library_in_the_build_folder(self):
        package = os.environ | {"PKG_CONFIG_PATH": f"{BUILD}/meson-uninstalled"}
        include = shlex.split(run_ok(["pkg-config", "--cflags", "weft-actor"], env=package))
        run_ok([*COMPILER, *include, "-fsyntax-only", EXAMPLES / f"{PROGRAMS[0]}.cpp"])

    def test_neither_the_examples_nor_the_library_load_zeromq(self):
        for name in [*PROGRAMS, self.library]:
            loaded = run_ok(["ldd", self.folder / name], env=self.environment)
            with self.subTest(name):
                self.assertNotIn("not found", loaded)
                self.assertNotIn("zmq", loaded)
                self.assertNotIn("libweft.so", loaded)

    def test_the_library_has_nothing_of_asio_or_zeromq_in_it(self):
        names = run_ok(["nm", "--dynamic", "--demangle", self.library])
        self.assertIn("weft::actor::System", names)
        self.assertEqual([], [line for line in names.splitlines() if "asio" in line or "zmq_" in line])

    def test_the_headers_include_nothing_of_boost_or_zeromq(self):
        for name in PROGRAMS:
            read = run_ok([*COMPILER, *self.include, "-M", EXAMPLES / f"{name}.cpp"]).split()
            with self.subTest(name):
                self.assertTrue(any(path.endswith("weft/actor/system.hpp") for path in read))
                self.assertEqual([], [path for path in read if "/boost/" in path or "zmq" in path])

    def test_the_door_for_tests_is_installed_too(self):
        source = self.folder / "echo_test.cpp"
        source.write_text(TEST)
        run_ok([*COMPILER, *self.include, source, "-o", self.folder / "echo_test", *self.link])
        run_ok([self.folder / "echo_test"], env=self.environment)


if __name__ == "__main__":
    unittest.main()
