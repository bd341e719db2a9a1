"""The example client, written from docs/protocol.md alone, reads every vector and talks to real agents."""
import importlib.util
import json
import os
import pathlib
import subprocess
import threading
import unittest

from tests.support.processes import Processes

ROOT = pathlib.Path(os.environ["WEFT_SOURCE"])
EXAMPLE = ROOT / "docs/examples/client.py"
VECTORS = sorted((ROOT / "tests/data/wire").glob("*.json"))
spec = importlib.util.spec_from_file_location("client", EXAMPLE)
client = importlib.util.module_from_spec(spec)
spec.loader.exec_module(client)


def read(path):
    return json.loads(path.read_text()), path.with_suffix(".bin").read_bytes()


class Vectors(unittest.TestCase):
    def check(self, it, wanted):
        self.assertEqual(client.KINDS[it["kind"] - 1], wanted["kind"])
        self.assertEqual(["raw", "msgpack", "json"][it["encoding"]], wanted["encoding"])
        for key in ("flags", "depth", "deadline_us", "trace_flags", "epoch", "priority", "name"):
            self.assertEqual(it[key], wanted[key], key)
        for key in ("id", "sender"):
            self.assertEqual(it[key], int(wanted[key], 16), key)
        for key in ("trace_id", "span_id", "extension"):
            self.assertEqual(it[key].hex(), wanted[key if key != "extension" else "extension_hex"], key)
        self.assertEqual(it["payload"].hex(), wanted.get("next_frame_hex", wanted["payload_hex"]))
        if "payload" in wanted:
            self.assertEqual(client.value(it), wanted["payload"])

    def test_every_good_vector_decodes_to_its_description(self):
        for path in VECTORS:
            description, data = read(path)
            if "envelope" not in description:
                continue
            with self.subTest(path.stem):
                wanted = description["envelope"]
                second = bytes.fromhex(wanted["next_frame_hex"]) if "next_frame_hex" in wanted else None
                found = list(client.envelopes(data, second))
                items = wanted.get("batch", [] if wanted["kind"] == "batch" else [wanted])
                self.assertEqual(len(found), len(items))
                for it, item in zip(found, items):
                    self.check(it, item)

    def test_every_bad_vector_is_refused_with_its_code(self):
        for path in VECTORS:
            description, data = read(path)
            if "refused" not in description:
                continue
            with self.subTest(path.stem), self.assertRaises(client.WeftError) as refused:
                list(client.envelopes(data))
            self.assertEqual(refused.exception.args[0], description["refused"], path.stem)

    def test_every_error_vector_is_read(self):
        for path in VECTORS:
            description, data = read(path)
            if "error" in description:
                code, message = client.error_of(next(client.envelopes(data)))
                self.assertEqual(code, description["error"]["code"])
                self.assertEqual(message, description["error"].get("message", message))

    def test_what_it_encodes_is_the_vector_of_a_request_but_for_its_sender(self):
        description, data = read(ROOT / "tests/data/wire/request.json")
        payload = bytes.fromhex(description["envelope"]["payload_hex"])
        made = client.encode(client.REQUEST, 1, "echo.echo", payload, 5_000_000)
        self.assertEqual(made[:48] + made[60:], data[:48] + data[60:])

    def test_it_has_at_most_120_lines(self):
        self.assertLessEqual(len(EXAMPLE.read_text().splitlines()), 120)


class InAMesh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        mesh = Processes("registry", "errorbus", "echo", "sysmon")
        cls.addClassCleanup(mesh.__exit__)
        cls.registry = mesh.__enter__().registry
        cls.records = client.call_at(cls.registry, "registry.snapshot")["records"]

    def run_example(self, *words):
        return subprocess.run(["/usr/bin/python3", EXAMPLE, self.registry, *words], capture_output=True, text=True, timeout=30)

    def test_it_calls_an_agent_by_name(self):
        done = self.run_example("call", "echo.echo", '{"text": "hello"}')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("hello", done.stdout)

    def test_an_error_reaches_it_typed(self):
        with self.assertRaises(client.WeftError) as failed:
            client.call_at(client.resolve(self.records, "echo"), "echo.ech", {})
        self.assertEqual(failed.exception.args[0], "WEFT-2004")

    def test_an_agent_that_is_not_there_is_told_at_once(self):
        with self.assertRaises(client.WeftError) as failed:
            client.resolve(self.records, "nobody")
        self.assertEqual(failed.exception.args[0], "WEFT-2003")

    def test_it_subscribes_and_sees_a_sequence_without_gaps(self):
        done = self.run_example("sub", "host.*.metrics", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
        self.assertEqual([topic for topic, _, _ in lines], ["host.alpha.metrics"] * 3)
        first = int(lines[0][1])
        self.assertEqual([int(number) for _, number, _ in lines], [first, first + 1, first + 2])

    def test_calls_from_many_clients_at_once_are_all_answered(self):
        endpoint, answers = client.resolve(self.records, "echo"), []
        threads = [threading.Thread(target=lambda n=n: answers.append(client.call_at(endpoint, "echo.echo", {"n": n})))
                   for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 20)


if __name__ == "__main__":
    unittest.main()
