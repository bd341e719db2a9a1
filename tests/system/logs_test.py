"""Log files that are rotated, removed or impossible, and what `weft logs` shows of them."""
import json
import os
import shutil
import signal
import sys
import unittest

sys.path.insert(0, os.environ["WEFT_SOURCE"])
from tests.support.mesh import Mesh  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

# A program without Weft's library, which keeps the log that it was started with.
PLAIN = """import os, signal, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print("a plain line", flush=True)
signal.pause()"""


class Logs(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh({"echo": {}, "plain": {"program": sys.executable, "args": ["-c", PLAIN]}})
        self.mesh.__enter__()
        self.addCleanup(self.mesh.__exit__)
        self.folder = self.mesh.hosts["alpha"].state / "log"

    def log(self, name):
        return self.folder / f"{name}.log"

    def processes(self):
        return {row["agent"]: row for entry in self.mesh.json("ps") for row in entry["processes"]}

    def test_renamed_logs_are_opened_again_and_the_one_that_is_not_is_named(self):
        old = {name: self.log(name).read_text() for name in ("echo", "registry", "errorbus", "node", "plain")}
        for name in old:
            self.log(name).rename(self.log(name + ".old"))
        done = self.mesh.weft("logs", "--reopen", "--json", check=False)
        self.assertEqual(1, done.returncode)
        found = {row["agent"]: row for row in json.loads(done.stdout)}
        self.assertEqual({"echo": True, "registry": True, "errorbus": True, "node": True, "plain": False},
                         {name: row["reopened"] for name, row in found.items()})
        self.assertIn("copytruncate", found["plain"]["text"])
        self.assertEqual(0, self.mesh.weft("logs", "--reopen", "echo", "node").returncode)
        self.assertIn("did you mean 'echo'", self.mesh.weft("logs", "--reopen", "ecko", check=False).stderr)
        os.kill(self.processes()["echo"]["pid"], signal.SIGHUP)  # makes it log a line
        eventually(lambda: "configuration loaded" in self.log("echo").read_text(), 5, "the new file has the line")
        self.assertTrue(self.log("echo.old").read_text().startswith(old["echo"]))
        self.assertNotIn("configuration loaded", self.log("echo.old").read_text())

    def test_a_hup_alone_is_enough_and_a_copied_and_truncated_log_continues(self):
        pid = self.processes()["echo"]["pid"]
        self.log("echo").rename(self.log("echo.old"))
        os.kill(pid, signal.SIGHUP)
        eventually(lambda: self.log("echo").exists() and "configuration loaded" in self.log("echo").read_text(), 5, "a line in the new file")
        shutil.copy(self.log("echo"), self.log("echo.copy"))
        os.truncate(self.log("echo"), 0)
        os.kill(pid, signal.SIGHUP)
        eventually(lambda: self.log("echo").read_bytes().startswith(b"{"), 5, "a line at the start of the file")

    def test_a_removed_folder_is_made_again_by_running_and_by_starting_agents(self):
        shutil.rmtree(self.folder)
        eventually(lambda: self.log("echo").exists() and self.log("node").exists(), 5, "running processes make it again")
        shutil.rmtree(self.folder)
        self.mesh.weft("call", "node.restart", '{"agent": "plain"}')
        eventually(lambda: self.log("plain").exists() and "a plain line" in self.log("plain").read_text(), 5, "a start makes it again")

    def test_an_agent_whose_log_is_impossible_starts_without_it_and_that_is_reported(self):
        self.log("plain").unlink()
        self.log("plain").mkdir()
        self.mesh.weft("call", "node.restart", '{"agent": "plain"}')
        eventually(lambda: self.processes()["plain"]["state"] == "ready", 10, "it runs")
        self.assertIn("a plain line", self.log("node").read_text())
        self.assertIn("weft_node_logs_lost_total 1", self.mesh.http("alpha", 7400, "/metrics"))
        eventually(lambda: "plain.log" in self.mesh.weft("errors", "list").stdout, 10, "the error bus has it")
        self.assertEqual(0, self.processes()["plain"]["restarts"])

    def test_logs_of_all_agents_are_shown_in_order_of_time_and_by_level(self):
        lines = [json.loads(line) for line in self.mesh.weft("logs", "--json").stdout.splitlines()]
        self.assertLessEqual({"echo", "registry", "errorbus", "node", "plain"}, {line["agent"] for line in lines})
        times = [line["ts"] for line in lines if "ts" in line]
        self.assertEqual(sorted(times), times)
        self.assertIn({"host": "alpha", "agent": "plain", "msg": "a plain line"}, lines)
        self.assertEqual("a plain line\n", self.mesh.weft("logs", "plain").stdout)
        self.assertEqual(3, len(self.mesh.weft("logs", "echo", "registry", "-n", "3").stdout.splitlines()))
        self.assertTrue(self.mesh.weft("logs", "echo", "--since", "10m").stdout)
        self.assertEqual("", self.mesh.weft("logs", "echo", "--level", "fatal").stdout)
        for line in self.mesh.weft("logs", "--level", "warn", "--json").stdout.splitlines():
            self.assertIn(json.loads(line)["level"], ("warn", "error", "fatal"))


if __name__ == "__main__":
    unittest.main()
