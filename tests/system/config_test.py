"""`weft config`: what a person sees of layers, mistakes and origins; and that a daemon says the same."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAMS = pathlib.Path(os.environ["WEFT_PROGRAM_PATH"])


class ConfigCommands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-config-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("base.yaml", "log:\n  level: warn\n")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_program(self, *words, program="weft", **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
        return subprocess.run([PROGRAMS / program, *words], cwd=self.folder, capture_output=True, text=True, timeout=60,
                              env=environment | {"WEFT_CONFIG_DIR": str(self.folder)} | variables)

    def test_good_layers_exit_0_and_say_where_they_were_found(self):
        done = self.run_program("config", "check")
        self.assertEqual((0, ""), (done.returncode, done.stdout))
        self.assertIn(str(self.folder), done.stderr)

    def test_every_mistake_is_listed_and_the_exit_code_is_78(self):
        self.write("hosts/alpha.yaml", "admin: {prt: 1}\nlog: {level: loud}\n")
        done = self.run_program("config", "check", "--host", "alpha", "--set", "mesh.name=a b", WEFT__LOG__LEVL="x")
        self.assertEqual(78, done.returncode)
        lines = done.stdout.replace(str(self.folder) + "/", "").splitlines()
        self.assertEqual("hosts/alpha.yaml:1:9: admin.prt: unknown key, did you mean 'port'?", lines[0])
        self.assertTrue(lines[1].startswith("hosts/alpha.yaml:2:14: log.level: wanted one of"), lines[1])
        self.assertEqual("WEFT__LOG__LEVL: log.levl: unknown key, did you mean 'level'?", lines[2])
        self.assertTrue(lines[3].startswith("--set mesh.name=a b: mesh.name: wanted a name"), lines[3])
        self.assertEqual(4, len(lines))

    def test_mistakes_as_json_are_a_list_also_when_there_are_none(self):
        self.assertEqual([], json.loads(self.run_program("config", "check", "--json").stdout))
        self.write("base.yaml", "log: [\n")
        done = self.run_program("config", "check", "--json")
        mistake, = json.loads(done.stdout)
        self.assertEqual(78, done.returncode)
        self.assertEqual({"layer", "file", "line", "column", "path", "text"}, set(mistake))
        self.assertEqual((str(self.folder / "base.yaml"), "base"), (mistake["file"], mistake["layer"]))

    def test_a_fleet_is_checked_with_what_its_agents_get(self):
        self.write("schema/agents/echo.yaml", "{type: object, additionalProperties: false, properties: {port: {type: integer}}}")
        self.write("fleet.yaml", "mesh: m\nhosts: {alpha: {address: 127.0.0.2, hub: true}}\n"
                                 "agents:\n  echo:\n    on: [alpha]\n    config: {prot: 1}\n")
        done = self.run_program("config", "check", "--fleet", "fleet.yaml")
        self.assertEqual((78, "fleet.yaml:6:20: agent.prot: unknown key, did you mean 'port'?\n"), (done.returncode, done.stdout))

    def test_show_prints_yaml_or_json_of_all_or_of_a_part(self):
        self.assertEqual("format: automatic\nlevel: warn\n", self.run_program("config", "show", "log").stdout)
        everything = json.loads(self.run_program("config", "show", "--json", "--host", "alpha").stdout)
        self.assertEqual(("alpha", "warn"), (everything["host"]["name"], everything["log"]["level"]))

    def test_explain_tells_the_whole_stack_and_marks_the_winner(self):
        done = self.run_program("config", "explain", "log.level", "--json", WEFT__LOG__LEVEL="error")
        layers = json.loads(done.stdout)["layers"]
        self.assertEqual([("built-in default", "info", False), (f"{self.folder}/base.yaml:2:10", "warn", False),
                          ("WEFT__LOG__LEVEL", "error", True)], [(one["where"], one["value"], one["wins"]) for one in layers])
        policy = {one["key"]: one for one in json.loads(self.run_program(
            "config", "explain", "mesh.policies.digest.summary", "--json", "--set", "mesh.policies.digest.timeout=7s").stdout)}
        self.assertEqual(("7s", "digest"), (policy["timeout"]["value"], policy["timeout"]["pattern"]))
        self.assertEqual(("nearest", "*"), (policy["balance"]["value"], policy["balance"]["pattern"]))
        part = self.run_program("config", "explain", "mesh.policies.digest.timeout", "--set", "mesh.policies.digest.timeout=7s").stdout
        self.assertIn("mesh.policies.digest.timeout = 7s", part)
        text = self.run_program("config", "explain", "log").stdout
        self.assertIn(f"*\tbase\twarn\t{self.folder}/base.yaml:2:10\n", text)
        self.assertIn("log.format = automatic\n", text)

    def test_a_key_that_is_not_there_is_told_with_the_nearest_one_and_exits_1(self):
        for verb in ("explain", "show"):
            done = self.run_program("config", verb, "log.levl")
            self.assertEqual((1, ""), (done.returncode, done.stdout))
            self.assertIn("did you mean 'log.level'?", done.stderr)

    def test_show_and_explain_tell_mistakes_and_exit_78(self):
        self.write("base.yaml", "log: {level: loud}\n")
        for words in (("show",), ("explain", "log.level")):
            done = self.run_program("config", *words)
            self.assertEqual((78, ""), (done.returncode, done.stdout))
            self.assertIn("base.yaml:1:14: log.level: wanted one of", done.stderr)

    def test_secrets_are_never_printed(self):
        self.write("schema/agents/bot.yaml", "{type: object, properties: {token: {type: string, x-secret: true}}}")
        for words in (("check",), ("show",), ("explain", "agent.token")):
            done = self.run_program("config", *words, "--agent", "bot", WEFT__AGENT__TOKEN="hunter2")
            self.assertEqual(78, done.returncode)
            self.assertNotIn("hunter2", done.stdout + done.stderr)
        done = self.run_program("config", "show", "agent.token", "--agent", "bot", WEFT__AGENT__TOKEN="env:BOT", BOT="hunter2")
        self.assertEqual((0, "env:BOT\n"), (done.returncode, done.stdout))

    def test_a_daemon_lists_the_same_mistakes_and_exits_78(self):
        self.write("base.yaml", "log: {level: loud}\nadmin: {prt: 1}\n")
        listed = self.run_program("config", "check").stdout.splitlines()
        done = self.run_program(program="weft-registry")
        self.assertEqual(78, done.returncode)
        for line in listed:
            self.assertIn(line, done.stderr)


if __name__ == "__main__":
    unittest.main()
