"""Agents that die in each way there is: what the error bus says about it, and which deaths are one issue."""
import json
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, os.environ["WEFT_SOURCE"])
from tests.support.mesh import PROGRAMS, Mesh  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

CRASHER = str(PROGRAMS / "tests/support/crasher")
FOREIGN = """#!/usr/bin/python3
import os, signal, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print("the last words of a stranger", flush=True)
open(TRIGGER).read()  # a FIFO: until somebody opens the other end
os.kill(os.getpid(), signal.SIGSEGV)
"""
# Each death in a row doubles the delay of the next start, so the deaths are shared out among several of them.
CRASHERS = ("first", "second", "third", "fourth", "fifth")


class Crashes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        agents = {name: {"program": CRASHER, "restarts_max": 100} for name in CRASHERS}
        agents["worker"] = {"program": CRASHER, "args": ["--set", "actors.workers=2"]}
        cls.mesh = Mesh(agents, environment={"SECRET_OF_THE_TEST": "swordfish"})
        cls.mesh.__enter__()
        cls.addClassCleanup(cls.mesh.__exit__)

    def issues(self, agent):
        return {issue["id"]: issue for issue in self.mesh.json("errors", "list", "--agent", agent, "--code", "WEFT-5007")}

    def die(self, agent, way, number=0):
        """The issue that this death made or counts in, and its last event."""
        self.wait_until_it_serves(agent)
        before = self.issues(agent)
        order = json.dumps({"way": way, "number": number})
        self.mesh.weft("call", f"{agent}.die", order, "--timeout", "1s", check=False)

        def counted():
            return next((issue for id, issue in self.issues(agent).items() if issue["count"] > before.get(id, {"count": 0})["count"]), None)
        issue = eventually(counted, 15, f"the death by '{way}' is an issue of {agent}")
        return issue, self.mesh.json("errors", "show", issue["id"])["events"][-1]["event"]

    def wait_until_it_serves(self, agent):
        eventually(lambda: self.mesh.weft("call", f"{agent}._ping", check=False).returncode == 0, 15, f"{agent} is back")

    def check(self, event, name, function, what=""):
        self.assertEqual(name, event["exception"], event)
        self.assertEqual("1.0.0", event["version"])
        self.assertIn(function, event["stack"])
        self.assertIn(what, event["values"].get("what", ""))
        self.assertIn("about to die", "\n".join(event["values"]["log"]))
        self.assertNotIn("swordfish", json.dumps(event))
        self.assertFalse(any("/" in line.rpartition(" from ")[2] for line in event["stack"].splitlines()), event["stack"])

    def test_each_kind_of_death_says_its_signal_its_place_and_its_last_words(self):
        ways = {"first": {"abort": ("SIGABRT", "crash::call_abort()"), "null": ("SIGSEGV", "crash::null_write()"), "divide": ("SIGFPE", "crash::divide(int)"),
                          "illegal": ("SIGILL", "crash::illegal()"), "call-null": ("SIGSEGV", "crash::call_null()")},
                "second": {"overflow": ("SIGSEGV", "crash::overflow(int)"), "double-free": ("SIGABRT", "crash::double_free()"),
                           "noexcept": ("std::out_of_range", "crash::throw_out_of(int)", "no shelf 12"),
                           "thread": ("std::out_of_range", "crash::throw_out_of(int)", "no shelf 7"), "thread-null": ("SIGSEGV", "crash::null_write()")}}
        for agent, deaths in ways.items():
            seen = set()
            for way, expected in deaths.items():
                with self.subTest(way):
                    issue, event = self.die(agent, way)
                    self.check(event, *expected)
                    self.assertTrue(issue["id"].startswith("v2:"))
                    self.assertEqual(([agent], agent), (issue["agents"], event["agent"]))
                    seen.add(issue["id"])
                    if way == "call-null":
                        self.assertIn("in main+", event["stack"])
                    if way == "overflow":
                        self.assertIn("its stack overflowed", event["values"]["why"])
                    if way == "double-free":
                        self.assertIn("double free", "\n".join(event["values"]["log"]))
            self.assertEqual(len(deaths), len(seen))

    def test_one_place_is_one_issue_and_another_is_another(self):
        first, _ = self.die("third", "null")
        second, event = self.die("third", "null")
        self.assertEqual((first["id"], first["count"] + 1), (second["id"], second["count"]))
        other, _ = self.die("third", "null-elsewhere")
        self.assertNotEqual(first["id"], other["id"])
        self.assertEqual("0x0", event["values"]["address"])
        self.assertIn("was killed by signal 11 (SIGSEGV, Segmentation fault)", event["values"]["why"])
        shown = self.mesh.weft("errors", "show", first["id"]).stdout
        self.assertRegex(shown, r"  #0 0x[0-9a-f]+ in crash::null_write\(\)\+0x[0-9a-f]+ from crasher\n")
        self.assertIn("last lines of its log\n", shown)

    def test_an_overflow_in_a_worker_thread_is_recorded_too(self):
        issue, event = self.die("worker", "overflow")
        self.assertRegex(self.mesh.weft("errors", "show", issue["id"]).stdout, r"overflow\(int\)\+0x[0-9a-f]+ from crasher\n +and \d+ more of it\n")
        self.assertIn("crash::overflow(int)", event["stack"])
        self.assertEqual("SIGSEGV", event["values"]["signal"])

    def test_an_exit_says_its_status_and_a_kill_from_outside_its_signal(self):
        three, event = self.die("fourth", "exit", 3)
        self.assertEqual(("", "", 3), (event["exception"], event["stack"], event["values"]["status"]))
        self.assertNotEqual(three["id"], self.die("fourth", "exit", 0)[0]["id"])
        _, event = self.die("fourth", "kill", int(signal.SIGKILL))
        self.assertEqual(("SIGKILL", ""), (event["values"]["signal"], event["stack"]))
        self.assertIn("about to die", "\n".join(event["values"]["log"]))
        _, event = self.die("fourth", "kill", 16)  # no handler has this one
        self.assertEqual("SIGSTKFLT", event["values"]["signal"])

    def test_an_exception_that_ends_the_loop_says_its_type_and_text_with_the_exit_code(self):
        first, event = self.die("fifth", "loop", 4)
        self.assertEqual(("std::out_of_range", "no shelf 4", 70), (event["exception"], event["values"]["what"], event["values"]["status"]))
        self.assertIn("a bug ends the process", "\n".join(event["values"]["log"]))
        self.assertEqual(first["id"], self.die("fifth", "loop", 5)[0]["id"])

    def test_a_loop_that_hangs_is_shown_where_it_hangs(self):
        _, event = self.die("fifth", "spin")
        self.assertIn("gave no sign of life for 10s", event["values"]["why"])
        self.assertIn("crash::spin()", event["stack"])

    def test_an_exception_in_a_handler_is_an_issue_a_type_and_text_and_the_process_lives(self):
        self.wait_until_it_serves("fifth")
        pid = lambda: next(one["pid"] for one in self.mesh.json("list") if one["agent"] == "fifth")
        before = pid()
        for number in (1, 2, 3):
            self.mesh.weft("call", "fifth.die", json.dumps({"way": "throw", "number": number}), check=False)
        found = eventually(lambda: [one for one in self.mesh.json("errors", "list", "--agent", "fifth", "--code", "WEFT-2008")], what="an issue")
        self.assertEqual(1, len(found))
        eventually(lambda: self.mesh.json("errors", "show", found[0]["id"])["issue"]["count"] == 3, what="all three count")
        event = self.mesh.json("errors", "show", found[0]["id"])["events"][0]["event"]
        self.assertEqual("std::out_of_range", event["exception"])
        self.assertRegex(event["stack"], r"^#\d+ 0x[0-9a-f]+ in crash::throw_out_of\(int\)\+")
        self.assertEqual(before, pid())

    def test_memory_that_a_group_may_not_have_is_named(self):
        group = pathlib.Path(f"/sys/fs/cgroup/memory/weft-test-{os.getpid()}")
        try:
            group.mkdir()
            (group / "memory.limit_in_bytes").write_text(str(100 << 20))
        except OSError as failure:
            self.skipTest(f"no group of processes can be made: {failure}")
        self.addCleanup(lambda: eventually(lambda: not (group / "cgroup.procs").read_text() and (group.rmdir() or True), 10, "the group is empty"))
        self.wait_until_it_serves("fifth")
        pid = next(one["pid"] for one in self.mesh.json("list") if one["agent"] == "fifth")
        (group / "cgroup.procs").write_text(str(pid))
        _, event = self.die("fifth", "memory")
        self.assertEqual("SIGKILL", event["values"]["signal"])
        self.assertIn("for lack of memory", event["values"]["why"])


class Infrastructure(unittest.TestCase):
    def test_a_crash_of_registry_bus_and_node_is_reported_when_they_are_back(self):
        with Mesh({}) as mesh:
            def events(agent):
                listed = mesh.json("errors", "list", "--events", "--agent", agent, check=False)
                return isinstance(listed, list) and [one["event"] for one in listed if one["event"]["code"] == "WEFT-5007"]
            pids = {row["agent"]: row["pid"] for row in mesh.json("ps")[0]["processes"]}
            for agent in ("registry", "errorbus"):
                os.kill(pids[agent], signal.SIGSEGV)
                event = eventually(lambda: events(agent), 15, f"the end of {agent} is reported")[0]
                self.assertIn("weft::io::IoLoop::run()", event["stack"])
            host = mesh.hosts["alpha"]
            os.kill(host.process.pid, signal.SIGSEGV)
            self.assertEqual(-signal.SIGSEGV, host.process.wait())
            mesh.start("alpha")
            mesh.wait("alpha")
            event = eventually(lambda: events("node"), 15, "the end of the node is reported")[0]
            self.assertIn("weft::io::IoLoop::run()", event["stack"])
            self.assertEqual("SIGSEGV", event["exception"])


class Foreign(unittest.TestCase):
    def test_a_program_without_weft_has_its_name_its_signal_and_its_last_lines(self):
        with Mesh({}) as folder_only:
            script, trigger = folder_only.folder / "stranger.sh", folder_only.folder / "die"
            script.write_text(FOREIGN.replace("TRIGGER", repr(str(trigger))))
            script.chmod(0o755)
            os.mkfifo(trigger)
            with Mesh({"stranger": {"program": str(script)}}) as mesh:
                trigger.write_text("now")
                issue = eventually(lambda: mesh.json("errors", "list", "--agent", "stranger"), 10, "an issue")[0]
                event = mesh.json("errors", "show", issue["id"])["events"][0]["event"]
                self.assertEqual(("stranger", "SIGSEGV", ""), (event["agent"], event["values"]["signal"], event["stack"]))
                self.assertIn("the last words of a stranger", event["values"]["log"])


if __name__ == "__main__":
    unittest.main()
