"""bench-actors runs the sides in turn, and says of each goal whether it is reached."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree


class BenchActors(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "bench").mkdir()
        (self.folder / "tools").mkdir()
        for tool in ("sed", "grep"):
            (self.folder / "tools" / tool).symlink_to(shutil.which(tool))

    def side(self, name, *figures, code=0):
        """A side whose n-th run prints the n-th figure; it leaves its name in a log."""
        path = self.folder / "bench" / f"bench-actors-{name}"
        lines = "\n".join(map(str, figures))
        (self.folder / name).write_text(lines)
        path.write_text(f"#!/bin/sh\ncd {self.folder}\necho {name} >>log\n[ {code} = 0 ] || {{ echo it broke >&2; exit {code}; }}\n"
                        f"sed -n \"$(grep -c ^{name} log)p\" {name}\n")
        path.chmod(0o755)

    def bench(self, *words):
        """Without Erlang, so that no machine gives another result."""
        environment = {**os.environ, "WEFT_BUILD": str(self.folder), "PATH": str(self.folder / "tools")}
        return subprocess.run([sys.executable, "-B", tree.ROOT / "bench/actors/run.py", *words], env=environment,
                              capture_output=True, text=True, timeout=60)

    def rows(self, *words):
        return [json.loads(line) for line in self.bench("--json", *words).stdout.splitlines()]

    def test_the_sides_take_turns(self):
        self.side("weft", 4, 4, 4)
        self.side("futex", 4, 4, 4)
        self.bench("wake", "--runs", "3")
        self.assertEqual(["weft", "futex"] * 3, (self.folder / "log").read_text().split())

    def test_a_ratio_is_the_median_of_the_rounds_and_less_time_reaches_the_goal(self):
        self.side("weft", 10, 11, 40)
        self.side("futex", 10, 10, 20)
        row = self.rows("wake", "--runs", "3")[0]
        self.assertEqual(("actors.wake", "us", 11, {"futex": 10}, 3, 10, 40), tuple(row[key] for key in ("work", "unit", "weft", "peers", "runs", "min", "max")))
        self.assertEqual([{"goal": 1.1, "peer": "futex", "ratio": 1.1, "ratio_min": 1, "ratio_max": 2, "reached": True}], row["goals"])

    def test_a_rate_reaches_its_goal_from_above(self):
        self.side("weft", 399)
        self.side("caf", 100)
        goals = self.rows("ping_pong", "--runs", "1")[0]["goals"]
        self.assertEqual((3.99, False), (goals[0]["ratio"], goals[0]["reached"]))

    def test_a_goal_without_a_peer_is_a_limit(self):
        for bytes, reached in ((256, True), (257, False)):
            self.side("weft", bytes)
            (self.folder / "log").unlink(missing_ok=True)
            self.assertEqual(reached, self.rows("memory_idle", "--runs", "1")[0]["goals"][0]["reached"])

    def test_a_side_that_is_not_there_is_left_out_and_its_goals_are_open(self):
        self.side("weft", 400)
        self.side("caf", 100)
        done = self.bench("--json", "ping_pong", "one_way", "--runs", "1")
        self.assertIn("erlang is left out", done.stderr)
        ping_pong = json.loads(done.stdout.splitlines()[0])
        self.assertEqual([True, None], [goal["reached"] for goal in ping_pong["goals"]])
        self.assertNotIn("erlang", ping_pong["peers"])

    def test_a_side_that_fails_ends_the_benchmark_with_what_it_said(self):
        self.side("futex", code=3)
        done = self.bench("wake")
        self.assertEqual(1, done.returncode)
        self.assertIn("it broke", done.stderr)

    def test_an_unknown_row_is_a_usage_error(self):
        done = self.bench("wakes")
        self.assertEqual(2, done.returncode)
        self.assertIn("'wakes'", done.stderr)


if __name__ == "__main__":
    unittest.main()
