"""`weft` as a person and a script use it: help, mistakes, JSON, and the verbs that talk to a mesh of real processes."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from tests.support.processes import PROGRAMS, Processes, clean_environment, run_weft


class Weft(unittest.TestCase):
    home = tempfile.TemporaryDirectory(prefix="weft-")
    registry = None

    def weft(self, *words, status=0, **how):
        where = {"WEFT_REGISTRY": self.registry} if self.registry else {}
        done = run_weft(*words, home=self.home.name, **(where | how))
        self.assertEqual(done.returncode, status, f"weft {' '.join(words)}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *words, **how):
        return json.loads(self.weft(*words, "--json", **how).stdout)


class WithoutAMesh(Weft):
    def verbs(self, *path):
        """Every verb of the tree that has no verbs below it."""
        text = self.weft(*path, "--help").stdout
        below = re.findall(r"^  (\w+)", text.split("Subcommands:\n")[1].split("\n\n")[0], re.M) if "Subcommands:" in text else []
        return [found for verb in below for found in self.verbs(*path, verb)] or [path]

    def test_every_verb_has_help_that_ends_with_examples_of_itself(self):
        verbs = self.verbs()
        self.assertGreater(len(verbs), 10)
        for path in verbs:
            with self.subTest(" ".join(path)):
                examples = self.weft(*path, "--help").stdout.split("\nExamples:\n")[1]
                self.assertIn("weft " + " ".join(path), examples)
                self.assertLessEqual(len(examples.strip().splitlines()), 3)

    def test_the_version_is_told_as_text_and_as_json(self):
        self.assertRegex(self.weft("version").stdout, r"^weft \d+\.\d+\.\d+\n$")
        self.assertEqual("weft " + self.json("version")["version"] + "\n", self.weft("--version").stdout)

    def test_no_verb_is_a_usage_mistake_that_shows_the_help(self):
        for words in ([], ["errors"]):
            done = self.weft(*words, status=2)
            self.assertEqual(done.stdout, "")
            self.assertIn("Subcommands:", done.stderr)
            self.assertIn("Usage: " + " ".join(["weft", *words]), done.stderr)

    def test_an_unknown_verb_or_flag_is_told_with_the_nearest_one(self):
        self.assertIn("did you mean 'list'?", self.weft("lisst", status=2).stderr)
        self.assertIn("did you mean 'resolve'?", self.weft("errors", "resolv", status=2).stderr)
        self.assertIn("did you mean '--count'?", self.weft("sub", "a", "--cuont", "1", status=2).stderr)

    def test_an_error_is_one_line_on_stderr_and_with_json_a_document_on_stdout_too(self):
        text = self.weft("list", status=1)
        self.assertEqual(text.stdout, "")
        self.assertRegex(text.stderr, r"^error: WEFT-3001 NO_REGISTRY: .*\(.*weft up.*\)\n$")
        error = self.json("list", status=1)["error"]
        self.assertEqual(set(error), {"code", "name", "kind", "message", "hint", "retryable"})
        self.assertEqual((error["code"], error["name"], error["kind"], error["retryable"]),
                         ("WEFT-3001", "NO_REGISTRY", "unavailable", True))
        self.assertEqual(self.json("nonsense", status=2)["error"]["name"], "BAD_USAGE")

    def test_bad_arguments_are_usage_mistakes_that_say_what_was_wanted(self):
        for words, wanted in ((["call", "echo"], "AGENT.METHOD"), (["call", "echo.echo", "{"], "no JSON"),
                              (["--timeout", "5", "list"], "500ms"), (["list", "--registry", "http://x"], "tcp://"),
                              (["completion", "zsh"], "bash"), (["pub", "demo.x"], "payload"), (["explain", "9"], "WEFT-")):
            with self.subTest(" ".join(words)):
                self.assertIn(wanted, self.weft(*words, status=2).stderr)

    def test_a_registry_that_is_away_is_told_within_the_timeout(self):
        start = time.monotonic()
        done = self.weft("list", "--registry", "127.0.0.1:1", "--timeout", "300ms", status=1)
        self.assertIn("no registry answered within 300ms", done.stderr)
        self.assertLess(time.monotonic() - start, 10)

    def test_every_error_code_is_explained_offline(self):
        codes = self.json("explain")
        self.assertGreater(len(codes), 30)
        self.assertIn("NO_RESPONDERS", self.weft("explain", "2003").stdout)
        self.assertIn("WEFT-2003", self.json("explain", "no_responders")["text"])

    def test_the_completion_offers_what_the_tree_has(self):
        with tempfile.NamedTemporaryFile("w", suffix=".bash") as script:
            script.write(self.weft("completion", "bash").stdout)
            script.flush()
            subprocess.run(["bash", "-n", script.name], check=True)
            asked = f"source {script.name}; COMP_WORDS=(weft errors re); COMP_CWORD=2; _weft; echo ${{COMPREPLY[@]}}"
            self.assertEqual(subprocess.check_output(["bash", "-c", asked], text=True), "resolve reopen\n")

    def test_a_reader_that_goes_away_is_no_error_message(self):
        done = subprocess.run(f"{PROGRAMS}/weft explain | head -1", shell=True, capture_output=True, text=True, timeout=30,
                              env=clean_environment(self.home.name))
        self.assertEqual(done.stderr, "")
        self.assertTrue(done.stdout.startswith("CODE\t"))


class InAMesh(Weft):
    @classmethod
    def setUpClass(cls):
        mesh = Processes("registry", "errorbus", "echo")
        cls.addClassCleanup(mesh.__exit__)
        cls.registry, cls.address = mesh.__enter__().registry, mesh.address

    def background(self, *words):
        process = subprocess.Popen([PROGRAMS / "weft", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=clean_environment(self.home.name, WEFT_REGISTRY=self.registry))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_list_shows_every_agent_as_text_and_as_json(self):
        heading, *rows = [line.split("\t") for line in self.weft("list").stdout.splitlines()]
        self.assertEqual(heading[:4], ["AGENT", "HOST", "VERSION", "HEALTH"])
        self.assertTrue({"echo", "errorbus", "registry"} <= {row[0] for row in rows})
        self.assertEqual({row[1] for row in rows}, {"alpha"})
        self.assertTrue(all(record["call_endpoint"].startswith(f"tcp://{self.address}:")
                            for record in self.json("list") if record["agent"] == "echo"))

    def test_info_shows_methods_and_an_unknown_agent_is_told_with_the_nearest(self):
        self.assertIn("echo.echo", self.weft("info", "echo").stdout)
        self.assertEqual(self.json("info", "echo")["instances"][0]["host"], "alpha")
        self.assertIn("did you mean 'echo'?", self.weft("info", "ehco", status=1).stderr)

    def test_a_call_prints_the_answer_as_json(self):
        self.assertEqual(self.json("call", "echo.echo", '{"text": "grüße", "n": 2.5}'), {"text": "grüße", "n": 2.5})
        self.assertEqual(self.json("call", "echo.echo@alpha", "-", stdin="[1, null]"), [1, None])

    def test_a_raw_call_sends_bytes_and_prints_bytes(self):
        self.assertEqual(self.weft("call", "echo.echo", "-", "--raw", stdin="plain\n").stdout, "plain\n")

    def test_a_call_that_fails_says_how(self):
        for words, code in ((["nobody.x"], "WEFT-2003"), (["echo.ecko"], "WEFT-2004"), (["echo.echo@mars"], "WEFT-2003"),
                            (["echo.delay", '{"ms": "x"}'], "WEFT-2005"), (["echo.throw"], "WEFT-2008"),
                            (["echo.delay", '{"ms": 9000}', "--timeout", "100ms"], "WEFT-2006")):
            with self.subTest(" ".join(words)):
                self.assertEqual(self.json("call", *words, status=1)["error"]["code"], code)
                self.assertIn(code, self.weft("call", *words, status=1).stderr)

    def test_a_call_to_all_says_how_many_answered(self):
        done = self.weft("call", "echo.echo", '{"n": 1}', "--all")
        self.assertRegex(done.stdout, r'^echo@alpha  \{"n":1\}\n$')
        self.assertEqual(done.stderr, "1 of 1\n")
        told = self.json("call", "echo.delay", '{"ms": 9000}', "--all", "--timeout", "100ms", status=1)
        self.assertEqual((told["answered"], told["asked"], told["answers"][0]["error"]["code"]), (0, 1, "WEFT-2006"))
        self.assertIn("--all", self.weft("call", "echo.echo", "--count", "1", status=2).stderr)

    def test_a_key_makes_a_call_once_and_is_refused_with_another_payload(self):
        for _ in range(2):
            self.assertEqual(self.json("call", "echo.echo", '{"n": 1}', "--key", "cli-1"), {"n": 1})
        self.assertIn("came with another payload", self.weft("call", "echo.echo", '{"n": 2}', "--key", "cli-1", status=1).stderr)

    def test_circuits_are_opened_by_hand_listed_and_given_back(self):
        self.assertIn("1 circuit changed", self.weft("breaker", "open", "echo", "errorbus.report").stderr)
        self.assertIn("open (by hand)", self.weft("breaker", "list", "echo").stdout)
        self.assertEqual(self.json("breaker", "auto", "echo", "errorbus")[0]["changed"], 1)
        self.assertEqual({circuit["state"] for circuit in self.json("breaker", "list", "echo")[0]["circuits"]}, {"closed"})
        self.assertIn("there is no circuit of 'echo.ehco'", self.weft("breaker", "open", "echo", "echo.ehco", status=1).stderr)

    def test_circuits_of_all_who_call_are_opened_and_given_back(self):
        callers = {one["caller"] for one in self.json("breaker", "open", "--all", "echo.echo")}
        self.assertTrue({"echo@alpha", "errorbus@alpha"} <= callers, callers)
        shown = self.weft("breaker", "list", "--all").stdout
        self.assertRegex(shown, r"errorbus@alpha\s+echo\.echo\s+alpha\s+\S+\s+open \(by hand\)")
        self.assertEqual({one["changed"] for one in self.json("breaker", "auto", "--all", "echo.echo")}, {1})
        self.assertNotIn("by hand", self.weft("breaker", "list", "--all").stdout)
        self.assertIn("there is no circuit", self.weft("breaker", "open", "--all", "echo.ehco", status=1).stderr)
        for words in (["open", "--all"], ["open", "echo"], ["list"], ["list", "echo", "--all"]):
            self.assertIn("WEFT-", self.weft("breaker", *words, status=2).stderr)

    def test_what_is_published_reaches_a_subscriber(self):
        watching = self.background("sub", "demo.#", "--count", "3", "--json", "--for", "20s")
        deadline = time.monotonic() + 20
        while watching.poll() is None and time.monotonic() < deadline:  # until it has connected
            self.weft("pub", "demo.news", '{"a": 1}', "--count", "3")
        lines = [json.loads(line) for line in watching.stdout.read().splitlines()]
        self.assertEqual([line["topic"] for line in lines], ["demo.news"] * 3)
        self.assertEqual(lines[0]["payload"], {"a": 1})
        self.assertEqual(watching.wait(10), 0)

    def test_a_publisher_says_when_nobody_subscribes(self):
        self.assertEqual(self.json("pub", "demo.alone", "1"), {"topic": "demo.alone", "published": 1, "subscribed": False})

    def test_a_publisher_is_gone_from_the_mesh_when_it_has_ended(self):
        self.weft("pub", "demo.alone", "1")
        self.assertNotIn("cli-pub", {record["agent"] for record in self.json("list")})

    def test_a_subscriber_that_waits_in_vain_fails_and_says_so(self):
        self.assertIn("only 0 of 1", self.weft("sub", "demo.never", "--count", "1", "--for", "200ms", status=1).stderr)

    def test_control_c_ends_a_subscriber_at_once_and_well(self):
        watching = self.background("sub", "demo.never")
        self.assertIn("Ctrl-C ends", watching.stderr.readline())
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(10), 0)

    def test_errors_are_listed_shown_and_worked_on(self):
        self.weft("call", "echo.report", '{"count": 3, "run": "cli"}')
        deadline = time.monotonic() + 20
        while not (found := [issue for issue in self.json("errors", "list") if issue["code"] == "ECHO_REPORT"]):
            self.assertLess(time.monotonic(), deadline)
        issue = found[0]["id"]
        self.assertEqual(self.json("errors", "show", issue)["issue"]["agents"], ["echo"])
        self.assertEqual(self.json("errors", "show", issue.split(":")[1][:8])["issue"]["id"], issue)
        for verb, state in (("ack", "acknowledged"), ("resolve", "resolved"), ("reopen", "ongoing")):
            self.assertEqual(self.json("errors", verb, issue, "--why", "test")["state"], state)
        events = self.json("errors", "list", "--events", "--since", "1h", "--severity", "error")
        self.assertIn("ECHO_REPORT", {event["event"]["code"] for event in events})
        self.assertEqual(self.json("errors", "show", "nothing", status=1)["error"]["name"], "UNKNOWN_ISSUE")

    def test_tail_prints_errors_as_they_come(self):
        tail = self.background("errors", "tail", "--json")
        self.assertIn("Ctrl-C ends", tail.stderr.readline())
        deadline, first = time.monotonic() + 20, None
        os.set_blocking(tail.stdout.fileno(), False)
        while not first and time.monotonic() < deadline:
            self.weft("call", "echo.report", '{"run": "tail"}')
            first = tail.stdout.readline()
        self.assertEqual(json.loads(first)["agent"], "echo")


if __name__ == "__main__":
    unittest.main()
