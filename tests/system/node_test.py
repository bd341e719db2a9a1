"""Nodes and their processes: kills, adoption, failures, logs, and the way down."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.environ["WEFT_SOURCE"])
from tests.support.mesh import PROGRAMS, ROOT, Mesh  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402


CLOCK_SHIFT = str(PROGRAMS / "tests/support/clock-shift.so")


def processes(mesh, host="alpha"):
    """{agent: row} of one host, the node's pid as "node"."""
    for entry in mesh.json("ps", check=False):
        if entry["host"] == host and entry["answers"]:
            return {row["agent"]: row for row in entry["processes"]}
    return {}


def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Supervision(unittest.TestCase):
    def test_a_killed_process_of_each_kind_is_back_and_others_are_left_alone(self):
        with Mesh({"echo": {}, "sysmon": {}}) as mesh:
            before = processes(mesh)
            for agent in ("echo", "errorbus", "registry"):
                os.kill(before[agent]["pid"], signal.SIGKILL)
                eventually(lambda: processes(mesh).get(agent, {}).get("restarts") == 1 and processes(mesh)[agent]["state"] == "ready",
                           5, f"{agent} is back")
            after = processes(mesh)
            self.assertEqual(before["sysmon"]["pid"], after["sysmon"]["pid"])
            eventually(lambda: mesh.weft("call", "echo.echo", "{}", check=False).returncode == 0, 5, "echo answers")

    def test_agents_outlive_a_killed_node_and_the_next_one_takes_them_over(self):
        with Mesh({"echo": {}}) as mesh:
            before, host = processes(mesh), mesh.hosts["alpha"]
            os.kill(host.process.pid, signal.SIGKILL)
            host.process.wait()
            self.assertEqual("{\"a\":1}", mesh.weft("call", "echo.echo", '{"a":1}').stdout.strip().replace(" ", ""))
            mesh.start("alpha")
            mesh.wait("alpha")
            eventually(lambda: processes(mesh), 5, "the new node answers")
            self.assertEqual({name: row["pid"] for name, row in before.items()},
                             {name: row["pid"] for name, row in processes(mesh).items()})
            os.kill(before["echo"]["pid"], signal.SIGKILL)
            eventually(lambda: processes(mesh)["echo"]["state"] == "ready" and processes(mesh)["echo"]["pid"] != before["echo"]["pid"],
                       5, "an adopted process is restarted")
            self.assertEqual(0, mesh.stop("alpha"))
            self.assertFalse([row["pid"] for row in before.values() if lives(row["pid"])])

    def test_a_node_that_was_killed_and_a_clock_set_back_do_not_keep_its_host_down(self):
        with Mesh({"echo": {}}) as mesh:
            before, host = processes(mesh), mesh.hosts["alpha"]
            os.kill(host.process.pid, signal.SIGKILL)
            host.process.wait()
            mesh.environment |= {"LD_PRELOAD": CLOCK_SHIFT, "CLOCK_SHIFT": "-3600"}
            os.kill(before["echo"]["pid"], signal.SIGKILL)  # its record is still registered, with a start in the future
            mesh.start("alpha")
            mesh.wait("alpha")
            eventually(lambda: processes(mesh).get("echo", {}).get("state") == "ready", 5, "echo is back")
            after = processes(mesh)
            self.assertEqual([before[name]["pid"] for name in ("registry", "errorbus")], [after[name]["pid"] for name in ("registry", "errorbus")])
            self.assertEqual(0, after["echo"]["restarts"])
            self.assertEqual("{}", mesh.weft("call", "echo.echo", "{}").stdout.strip())
            self.assertIsNone(host.process.poll())

    def test_a_forged_registration_in_the_slot_of_the_node_does_not_end_its_host(self):
        with Mesh({"echo": {}}) as mesh:
            before, host = processes(mesh), mesh.hosts["alpha"]
            forged = {"mesh": f"test{os.getpid()}", "agent": "node", "host": "alpha", "slot": "node@alpha", "instance": "01" + "Z" * 24, "started_us": 2**62}
            refused = mesh.weft("call", "registry.register", json.dumps(forged), check=False)
            self.assertIn("WEFT-3003", refused.stdout + refused.stderr)  # the node's claim goes first
            mesh.weft("call", "registry.register", json.dumps(forged | {"claim": (int(time.time()) + 1000) << 24}))
            eventually(lambda: "WEFT-3003" in mesh.weft("errors", "list").stdout, 10, "the attempt is reported")
            eventually(lambda: processes(mesh), 10, "the node has its slot back")
            self.assertEqual({name: row["pid"] for name, row in before.items()}, {name: row["pid"] for name, row in processes(mesh).items()})
            self.assertIsNone(host.process.poll())

    def test_stopping_leaves_no_process_and_no_socket(self):
        with Mesh({"echo": {}, "sysmon": {"needs": ["echo"]}}) as mesh:
            pids = [row["pid"] for row in processes(mesh).values()]
            run = mesh.hosts["alpha"].run
            self.assertTrue(list(run.glob("*")))
            self.assertEqual(0, mesh.stop("alpha"))
            self.assertFalse([pid for pid in pids if lives(pid)])
            left = [path.name for path in run.glob("*") if path.name != "supervisor.sock"] if run.exists() else []
            self.assertEqual([], left)

    def test_a_process_that_is_stopped_in_its_tracks_is_found_by_its_watchdog(self):
        with Mesh({"echo": {}}) as mesh:
            before = processes(mesh)["echo"]
            os.kill(before["pid"], signal.SIGSTOP)
            eventually(lambda: processes(mesh)["echo"]["pid"] not in (0, before["pid"]), 20, "a new echo runs")
            self.assertIn("gave no sign of life", mesh.weft("logs", "node", "-n", "50").stdout)

    def test_logs_show_the_end_and_go_on(self):
        with Mesh({"echo": {}}) as mesh:
            self.assertEqual(1, len(mesh.weft("logs", "echo", "-n", "1").stdout.splitlines()))
            refused = mesh.weft("logs", "ecko", check=False)
            self.assertEqual(1, refused.returncode)
            self.assertIn("did you mean 'echo'", refused.stderr)
            mesh.weft("call", "node.restart", '{"agent": "echo"}')
            eventually(lambda: mesh.weft("logs", "echo").stdout.count('"ready"') == 2, 5, "the log has both starts")


class Starting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="weft-")
        self.addCleanup(self.folder.cleanup)
        self.environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        self.environment["XDG_STATE_HOME"] = self.folder.name + "/xdg"
        self.address = f"127.{200 + os.getpid() // 250 % 50}.{1 + os.getpid() % 250}.7"

    def weft(self, *words):
        return subprocess.run([PROGRAMS / "weft", *words], capture_output=True, text=True, timeout=60, env=self.environment, cwd=ROOT)

    def up(self, fleet, *more):
        path = pathlib.Path(self.folder.name, "fleet.yaml")
        path.write_text(fleet if isinstance(fleet, str) else json.dumps(fleet))
        return self.weft("up", "--fleet", str(path), "--run", self.folder.name + "/run", *more)

    def fleet(self, agents):
        return {"mesh": f"up{os.getpid()}", "hosts": {"alpha": {"address": self.address}}, "agents": agents}

    def test_every_mistake_of_a_fleet_is_told_and_nothing_starts(self):
        done = self.up("hosts: {alpha: {address: 127.0.0.2}}\nagents:\n  a: {needs: [b]}\n  b: {needs: [a]}\n  c: {on: [beta], prot: 1}\n")
        self.assertEqual(78, done.returncode)
        for wanted in ("fleet.yaml:3:", "a -> b -> a", "no host 'beta'", "prot: unknown key", "3 mistakes"):
            self.assertIn(wanted, done.stderr)

    def test_a_port_that_is_taken_is_named(self):
        with socket.create_server((self.address, 7411)):
            done = self.up(self.fleet({}))
        self.assertEqual(75, done.returncode)
        self.assertIn(f"port 7411 of {self.address} is taken", done.stderr)

    def test_an_address_of_another_machine_is_named(self):
        done = self.up(self.fleet({}), "--address", "alpha=192.0.2.1")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("192.0.2.1", done.stderr)

    def test_in_the_background_it_says_what_failed_and_the_rest_runs_until_down(self):
        done = self.up(self.fleet({"echo": {}, "bad": {"program": "weft-echo", "config": {"nosuch": 1}}}), "--detach")
        self.addCleanup(self.weft, "down")
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn("bad", done.stderr)
        self.assertIn("nosuch", done.stderr)
        again = self.up(self.fleet({"echo": {}}))
        self.assertEqual(75, again.returncode)
        self.assertIn("WEFT-5006", again.stderr)
        states = {row["agent"]: row["state"] for row in json.loads(self.weft("ps", "--json").stdout)[0]["processes"]}
        self.assertEqual({"registry": "ready", "errorbus": "ready", "echo": "ready", "bad": "failed"}, states)
        down = self.weft("down")
        self.assertEqual(0, down.returncode, down.stderr)
        self.assertFalse(pathlib.Path(self.folder.name, "run").exists())
        self.assertEqual([], list(pathlib.Path(self.folder.name, "xdg/weft/contexts").iterdir()))

    def test_many_agents_that_start_at_once_are_all_ready_and_none_is_killed(self):
        agents = {f"echo{i}": {"program": "weft-echo"} for i in range(50)}
        done = self.up(self.fleet(agents), "--detach")  # the socket holds 10 notifications in a new network namespace
        self.addCleanup(self.weft, "down")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        rows = json.loads(self.weft("ps", "--json").stdout)[0]["processes"]
        self.assertEqual([], [row for row in rows if row["state"] != "ready" or row["restarts"]])
        self.assertEqual(52, len(rows))

    def test_down_right_after_up_stops_the_mesh_that_is_starting(self):
        path = pathlib.Path(self.folder.name, "fleet.yaml")
        path.write_text(json.dumps(self.fleet({"echo": {}})))
        run = pathlib.Path(self.folder.name, "run")
        for begun in (lambda: True, run.exists, (run / "notify.sock").exists):  # at once, and later in the start
            with subprocess.Popen([PROGRAMS / "weft", "up", "--fleet", path, "--run", self.folder.name + "/run"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=self.environment, cwd=ROOT) as node:
                eventually(begun, 10)
                down = self.weft("down")
                self.assertIn("stopped after", down.stderr)
                node.wait(10)
            self.assertFalse(run.exists())

    def test_a_dry_run_uses_the_addresses_given_and_finds_programs_that_are_missing(self):
        done = self.up(self.fleet({"echo": {}}), "--dry-run", "--address", "alpha=127.0.0.99")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("alpha (127.0.0.99", done.stdout)
        done = self.up(self.fleet({"echo": {}, "bad": {"program": "./no/such.py"}}), "--dry-run")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("agents.bad.program: there is no program", done.stderr)
        checked = self.weft("config", "check", "--fleet", self.folder.name + "/fleet.yaml")
        self.assertNotEqual(0, checked.returncode)
        self.assertIn("no/such.py", checked.stdout + checked.stderr)

    def test_the_context_file_names_a_page_that_is_there(self):
        done = self.up(self.fleet({}), "--detach")
        self.addCleanup(self.weft, "down")
        self.assertEqual(0, done.returncode, done.stderr)
        context = next(pathlib.Path(self.folder.name, "xdg/weft/contexts").iterdir()).read_text()
        address = next(json.loads(line.split(": ", 1)[1]) for line in context.splitlines() if line.startswith("http: "))
        with urllib.request.urlopen(address + "/v1/agents", timeout=5) as answer:
            self.assertIn("registry", answer.read().decode())

    def test_a_program_that_does_not_exist_is_named_before_anything_starts(self):
        done = self.up(self.fleet({"nosuchagent": {}}))
        self.assertEqual(78, done.returncode)
        self.assertIn("weft-nosuchagent", done.stderr)

    def test_a_second_interrupt_ends_everything_at_once(self):
        script = pathlib.Path(self.folder.name, "stubborn")
        script.write_text("#!/usr/bin/python3\nimport os, signal, socket\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                          "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
                          "while True: signal.pause()\n")
        script.chmod(0o755)
        path = pathlib.Path(self.folder.name, "fleet.yaml")
        path.write_text(json.dumps(self.fleet({"stubborn": {"program": str(script)}})))
        with subprocess.Popen([PROGRAMS / "weft", "up", "--fleet", path, "--run", self.folder.name + "/run"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=self.environment, cwd=ROOT) as node:
            for line in node.stdout:
                if line.startswith("mesh "):
                    break
            pids = [row["pid"] for row in json.loads(pathlib.Path(self.folder.name, "run/processes.json").read_text())["processes"]]
            self.assertEqual(3, len(pids))
            node.send_signal(signal.SIGINT)
            for line in node.stdout:
                if "stopping" in line:
                    break
            node.send_signal(signal.SIGINT)
            node.wait(3)
        self.assertFalse([pid for pid in pids if lives(pid)])


if __name__ == "__main__":
    unittest.main()
