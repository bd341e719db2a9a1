"""The benchmark of calls and publications runs with the real programs, and gives every figure that its goals are about."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

SOURCE, BUILD = pathlib.Path(os.environ["WEFT_SOURCE"]), pathlib.Path(os.environ["WEFT_BUILD"])


@unittest.skipUnless((BUILD / "bench/bench-messaging-weft").exists(), "configured without benchmarks")
class BenchMessaging(unittest.TestCase):
    def test_each_row_has_a_figure_of_weft_and_of_raw_zeromq(self):
        done = subprocess.run([sys.executable, "-B", SOURCE / "bench/messaging/run.py", "--json", "--quick", "--runs", "1"],
                              env={**os.environ, "WEFT_BUILD": str(BUILD)}, capture_output=True, text=True, timeout=100)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = {row["work"]: row for row in map(json.loads, done.stdout.splitlines())}
        for name in ("call.round_trip_p50", "call.round_trip_p99", "call.round_trip_ipc_p50", "call.pipelined_10", "call.pipelined_1000",
                     "publish.fan_out_1", "publish.fan_out_100", "call.bytes_64k", "call.curve_pipelined", "link.memory_idle"):
            with self.subTest(name):
                self.assertGreater(rows[name]["weft"], 0)
                self.assertGreater(rows[name]["peers"]["zmq"], 0)
                self.assertTrue(rows[name]["goals"] and all(goal["reached"] is not None for goal in rows[name]["goals"] if goal["peer"] != "nats"))
        self.assertGreater(rows["call.pipelined_1000"]["cpu_us"]["weft"], 0)


if __name__ == "__main__":
    unittest.main()
