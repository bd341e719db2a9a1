"""The example client, written from docs/protocol.md alone, reads every vector."""
import importlib.util
import json
import os
import pathlib
import unittest

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


if __name__ == "__main__":
    unittest.main()
