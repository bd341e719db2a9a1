"""The benchmarks run their sides in turn, and say of each goal whether it is reached."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree


class Bench(unittest.TestCase):
    """A build folder of made-up sides, and what runs them; nothing else of the machine is found."""
    runner = ""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "bench").mkdir()
        (self.folder / "tools").mkdir()
        for tool in ("sed", "grep", "sleep"):
            (self.folder / "tools" / tool).symlink_to(shutil.which(tool))

    def program(self, name, script):
        path = self.folder / "bench" / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    def bench(self, *words):
        environment = {**os.environ, "WEFT_BUILD": str(self.folder), "PATH": str(self.folder / "tools")}
        return subprocess.run([sys.executable, "-B", tree.ROOT / self.runner, *words], env=environment, capture_output=True, text=True, timeout=60)

    def rows(self, *words):
        return [json.loads(line) for line in self.bench("--json", *words).stdout.splitlines()]

    def log(self):
        return (self.folder / "log").read_text().split()


class BenchActors(Bench):
    runner = "bench/actors/run.py"

    def side(self, name, *figures, code=0):
        """A side whose n-th run prints the n-th figure; it leaves its name in a log."""
        (self.folder / name).write_text("\n".join(map(str, figures)))
        self.program(f"bench-actors-{name}", f"cd {self.folder}\necho {name} >>log\n[ {code} = 0 ] || {{ echo it broke >&2; exit {code}; }}\n"
                     f"sed -n \"$(grep -c ^{name} log)p\" {name}\n")

    def test_the_sides_take_turns(self):
        self.side("weft", 4, 4, 4)
        self.side("futex", 4, 4, 4)
        self.bench("wake", "--runs", "3")
        self.assertEqual(["weft", "futex"] * 3, self.log())

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

    def test_a_peer_that_is_asked_for_and_is_missing_is_an_error_with_what_to_install(self):
        self.side("weft", 400)
        done = self.bench("ping_pong", "--runs", "1", "--peers", "caf,erlang")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertRegex(done.stderr, r"caf: .*\(Debian: libcaf-dev\); erlang: .*\(Debian: erlang-base\)")

    def test_only_the_peers_that_are_asked_for_are_measured(self):
        for side in ("weft", "caf", "futex"):
            self.side(side, 4, 4)
        done = self.bench("ping_pong", "wake", "--runs", "1", "--peers", "caf")
        self.assertEqual((["weft", "caf", "weft"], ""), (self.log(), done.stderr))

    def test_an_unknown_peer_is_a_usage_error(self):
        done = self.bench("--peers", "kaf")
        self.assertEqual(2, done.returncode)
        self.assertIn("'kaf'", done.stderr)

    def test_a_side_that_fails_ends_the_benchmark_with_what_it_said(self):
        self.side("futex", code=3)
        done = self.bench("wake")
        self.assertEqual(1, done.returncode)
        self.assertIn("it broke", done.stderr)

    def test_an_unknown_row_is_a_usage_error(self):
        done = self.bench("wakes")
        self.assertEqual(2, done.returncode)
        self.assertIn("'wakes'", done.stderr)


class BenchMessaging(Bench):
    runner = "bench/messaging/run.py"

    def setUp(self):
        super().setUp()
        self.program("bench-messaging-registry", "echo upstream\nexec sleep 60\n")

    def side(self, name, *figures, serves=True):
        """A side whose n-th client prints the n-th figures; server and client leave in a log what they were told."""
        (self.folder / name).write_text("\n".join(json.dumps(one) for one in figures))
        serve = "echo there; exec sleep 60" if serves else "exit 3"
        self.program(f"bench-messaging-{name}", f"cd {self.folder}\necho {name}:$1:$2:$3:$4 >>log\nif [ $1 = serve ]; then {serve}; fi\n"
                     f"sed -n \"$(grep -c ^{name}:measure log)p\" {name}\n")

    def test_the_sides_take_turns_and_only_weft_has_a_registry(self):
        self.side("weft", *[{"rate": 3, "cpu_us": 1}] * 2)
        self.side("zmq", *[{"rate": 3, "cpu_us": 1}] * 2)
        self.bench("pipelined_10", "--runs", "2")
        self.assertEqual(["weft:serve:pipelined_10:upstream:", "weft:measure:pipelined_10:100000:there", "zmq:serve:pipelined_10::",
                          "zmq:measure:pipelined_10:100000:there"] * 2, self.log())

    def test_one_work_may_give_several_rows_and_cpu_time_stands_beside_them(self):
        self.side("weft", {"p50": 11, "p99": 30, "cpu_us": 7})
        self.side("zmq", {"p50": 10, "p99": 20, "cpu_us": 5})
        median, late = self.rows("round_trip", "--runs", "1")
        self.assertEqual(("call.round_trip_p50", "us", 11, {"zmq": 10}, {"weft": 7, "zmq": 5}),
                         tuple(median[key] for key in ("work", "unit", "weft", "peers", "cpu_us")))
        self.assertEqual([{"goal": 1.1, "peer": "zmq", "ratio": 1.1, "ratio_min": 1.1, "ratio_max": 1.1, "reached": True},
                          {"goal": 0.65, "peer": "nats", "ratio": None, "reached": None}], median["goals"])
        self.assertEqual(("call.round_trip_p99", False), (late["work"], late["goals"][0]["reached"]))

    def test_ipc_is_held_against_our_own_tcp_in_the_same_round(self):
        self.side("weft", {"p50": 9, "p99": 9, "cpu_us": 1}, {"p50": 10, "p99": 10, "cpu_us": 1})
        goals = self.rows("round_trip_ipc", "--runs", "1")[0]["goals"]
        self.assertEqual((0.9, True), (goals[0]["ratio"], goals[0]["reached"]))

    def test_memory_is_held_against_a_limit(self):
        for bytes, reached in ((65_536, True), (65_537, False)):
            self.side("weft", {"bytes": bytes, "bytes_peer": 1})
            (self.folder / "log").unlink(missing_ok=True)
            self.assertEqual(reached, self.rows("memory_idle", "--runs", "1")[0]["goals"][0]["reached"])

    def test_a_side_that_was_not_built_is_left_out_with_what_to_install(self):
        self.side("weft", {"rate": 3, "cpu_us": 1})
        self.assertRegex(self.bench("pipelined_10", "--runs", "1").stderr,  # whether or not nats-server is installed here
                         r"nats is left out: bench/bench-messaging-nats was not built[^(\n]*\(Debian: libnats-dev, nats-server\)")

    def test_a_peer_that_is_asked_for_and_is_missing_is_an_error_with_what_to_install(self):
        self.side("weft", {"rate": 3, "cpu_us": 1})
        done = self.bench("pipelined_10", "--runs", "1", "--peers", "nats")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"nats: bench/bench-messaging-nats was not built[^(\n]*\(Debian: libnats-dev, nats-server\)")

    def test_a_server_that_does_not_start_ends_the_benchmark(self):
        self.side("weft", serves=False)
        done = self.bench("pipelined_10", "--runs", "1")
        self.assertEqual(1, done.returncode)
        self.assertIn("did not start", done.stderr)

    def test_a_client_that_fails_ends_the_benchmark_with_its_words(self):
        self.program("bench-messaging-weft", "[ $1 = measure ] || { echo there; exec sleep 60; }\necho it broke >&2\nexit 1\n")
        done = self.bench("pipelined_10", "--runs", "1")
        self.assertEqual(1, done.returncode)
        self.assertIn("it broke", done.stderr)


class Peers(unittest.TestCase):
    def targets(self, build):
        shown = subprocess.run(["meson", "introspect", build, "--targets"], capture_output=True, text=True, check=True).stdout
        return {target["name"] for target in json.loads(shown)}

    @unittest.skipUnless(shutil.which("meson"), "meson is not installed")
    @unittest.skipIf(pathlib.Path("/usr/include/nats/nats.h").exists(), "the NATS library is installed: it cannot be missing first")
    def test_a_peer_that_is_installed_after_the_first_configuration_is_built(self):
        with tempfile.TemporaryDirectory() as folder:
            build, include = pathlib.Path(folder) / "build", pathlib.Path(folder) / "include"
            environment = {**os.environ, "CPLUS_INCLUDE_PATH": str(include), "CCACHE_DIR": folder}
            subprocess.run(["meson", "setup", build, tree.ROOT, "-Dtests=disabled"], env=environment, check=True, stdout=sys.stderr)
            self.assertNotIn("bench-messaging-nats", self.targets(build))
            (include / "nats").mkdir(parents=True)
            (include / "nats/nats.h").touch()
            subprocess.run(["meson", "setup", "--reconfigure", build, tree.ROOT], env=environment, check=True, stdout=sys.stderr)
            self.assertIn("bench-messaging-nats", self.targets(build))


if __name__ == "__main__":
    unittest.main()
