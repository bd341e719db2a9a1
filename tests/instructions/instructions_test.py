"""A message costs no more instructions than are kept in bench/instructions/instructions.json, within the tolerance there."""
import importlib.util
import json
import os
import pathlib
import unittest

SOURCE = pathlib.Path(os.environ["WEFT_SOURCE"])


def load(path):
    spec = importlib.util.spec_from_file_location("instructions_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = load(SOURCE / "bench/instructions/run.py")


class Instructions(unittest.TestCase):
    def test_a_message_costs_what_it_did(self):
        if why := run.missing():
            self.skipTest(why)
        kept = json.loads(run.KEPT.read_text())
        counted = run.count()
        for name, before in kept["instructions"].items():
            with self.subTest(name):
                change = counted[name] / before - 1
                self.assertLessEqual(change, kept["tolerance"], f"{name}: {counted[name]} instructions a message, {before} are kept: "
                                     "make it cheaper, or keep the new count by ./dev bench instructions --update and say why")
                self.assertGreaterEqual(change, -kept["tolerance"], f"{name}: {counted[name]} instructions a message, {before} are kept: "
                                        "keep what was gained by ./dev bench instructions --update")

    def test_the_cost_of_a_call_is_read_from_a_profile(self):
        text = "fn=(1) main\n10 5\ncfn=(2) measured_call_send\ncalls=2 7\n11 300\ncfn=(3) other\ncalls=1 9\n12 9\ncfn=(2)\ncalls=1 7\n13 100\n"
        self.assertEqual({**dict.fromkeys(run.NAMES, 0), "call_send": 400}, run.inclusive(text))


if __name__ == "__main__":
    unittest.main()
