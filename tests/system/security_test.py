"""A mesh with keys, end to end: registry, error bus, agents and the command line; who has no known key stays outside."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.support import mesh_processes
from tests.support.mesh_processes import Process, free_ports
from tests.support.waiting import eventually

WEFT = mesh_processes.PROGRAMS / "weft"


class Security(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "config"
        (self.config / "agents").mkdir(parents=True)
        self.call, self.publish, self.bus = free_ports(3)
        self.registry = f"tcp://127.0.0.1:{self.call}"
        names = ["registry", "errorbus", "echo", "cli", "stranger"]
        self.keys = {name: self.key(name) for name in names}
        known = {name: key for name, key in self.keys.items() if name != "stranger"}
        self.write("base.yaml", {
            "mesh": {"name": "keys"}, "host": {"name": "alpha"},
            "registry": {"addresses": [self.registry], "port": self.call, "publish_port": self.publish, "store": {"kind": "memory"}},
            "errorbus": {"address": f"tcp://127.0.0.1:{self.bus}", "port": self.bus},
            "state": {"directory": str(self.folder / "state")}, "run": {"directory": str(self.folder / "run")},
            "security": {"known_keys": known, "servers": [{"endpoint": self.registry, "key": "registry"},
                                                          {"endpoint": f"tcp://127.0.0.1:{self.bus}", "key": "errorbus"}]}})
        for name in names:
            self.write(f"agents/{name}.yaml", {"security": {"secret_key": f"file:{self.folder}/{name}.key"}})
        self.processes = []
        self.addCleanup(self.stop)

    def write(self, name, document):
        (self.config / name).write_text(json.dumps(document))  # JSON is YAML

    def key(self, name):
        file = self.folder / f"{name}.key"
        made = self.weft("keys", "new", name, "--out", file)
        self.assertEqual(0, made.returncode, made.stderr)
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertNotIn(file.read_text().strip(), made.stdout + made.stderr)
        return made.stdout.strip()

    def weft(self, *words, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WEFT")}
        return subprocess.run([WEFT, *map(str, words)], env={**clean, **environment}, capture_output=True, text=True, timeout=30)

    def cli(self, *words, config=None):
        return self.weft("--registry", self.registry, *words, WEFT_CONFIG_DIR=str(config or self.config))

    def start(self, program, *words):
        process = Process([mesh_processes.PROGRAMS / f"weft-{program}", "--config-dir", self.config, "--host", "alpha", *words],
                          self.folder / f"{program}-{len(self.processes)}.log")
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def until(self, condition, *processes):
        try:
            eventually(condition, 20)
        except AssertionError as late:
            raise AssertionError("\n".join([str(late), *(process.log() for process in processes)])) from late

    def agents(self):
        listed = self.cli("list", "--json")
        return [row["agent"] for row in json.loads(listed.stdout)] if listed.returncode == 0 else []

    def test_a_mesh_with_keys_works_as_one_without_and_lets_nobody_else_in(self):
        registry, bus, echo = self.start("registry"), self.start("errorbus"), self.start("echo")
        self.until(lambda: {"registry", "errorbus", "echo"} <= set(self.agents()), registry, bus, echo)
        answer = self.cli("call", "echo.echo", '"hello"')
        self.assertEqual((0, "hello"), (answer.returncode, answer.stdout.strip().strip('"')), answer.stderr)
        with self.subTest("a process whose key is not known"):
            stranger = self.start("echo", "--name", "stranger")
            self.until(lambda: self.keys["stranger"] in registry.log(), registry, stranger)
            self.until(lambda: "does not know the key of this one" in stranger.log(), stranger)
            self.assertNotIn("stranger", self.agents())
        with self.subTest("a command without keys"):
            empty = self.folder / "empty"
            empty.mkdir()
            (empty / "base.yaml").write_text("mesh: {name: keys}\n")
            refused = self.cli("list", config=empty)
            self.assertEqual(1, refused.returncode)
            self.assertIn("encrypts, and this one does not", refused.stderr)
            self.until(lambda: "not_encrypted" in registry.log(), registry)
        with self.subTest("the others go on"):
            self.assertEqual(0, self.cli("call", "echo.echo", '"again"').returncode)

    def test_a_key_that_cannot_be_read_ends_a_process_before_it_opens_anything(self):
        (self.folder / "registry.key").unlink()
        registry = self.start("registry")
        self.assertNotEqual(0, registry.wait())
        self.assertIn("security.secret_key", registry.log())

    def test_a_file_with_a_key_is_not_overwritten(self):
        before = (self.folder / "echo.key").read_text()
        again = self.weft("keys", "new", "echo", "--out", self.folder / "echo.key")
        self.assertEqual(2, again.returncode)
        self.assertEqual(before, (self.folder / "echo.key").read_text())
        self.assertEqual(self.keys["echo"], self.weft("keys", "public", self.folder / "echo.key").stdout.strip())


if __name__ == "__main__":
    unittest.main()
