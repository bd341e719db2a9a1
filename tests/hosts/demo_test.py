"""`./dev up --detach` and `./dev down`: two hosts run, and afterwards nothing is left."""
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

from tests.support.waiting import eventually

ROOT = pathlib.Path(os.environ["WEFT_SOURCE"])
WEFT = pathlib.Path(os.environ["WEFT_PROGRAM_PATH"]) / "weft"
RUNNING = ROOT / ".weft/demo.json"


def demo(*words):
    done = subprocess.run(["/usr/bin/python3", "-B", ROOT / "tools/dev/demo.py", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def namespaces():
    return [name for name in os.listdir("/run/netns") if name.startswith("weft-")] if os.path.isdir("/run/netns") else []


def leftovers():
    """Processes, namespaces, links, sockets and mounts of a demo mesh."""
    folder = str(ROOT / ".weft")
    found = namespaces()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                found.append(f"process {process.name}: {(process / 'cmdline').read_bytes()[:200]}")
        except OSError:
            pass
    found += [str(path) for path in pathlib.Path(folder).rglob("*") if path.is_socket()]
    found += [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if folder in line or "/netns/weft-" in line]
    return found + (["link weft0"] if os.path.exists("/sys/class/net/weft0") else [])


@unittest.skipUnless(os.geteuid() == 0, "needs root for network namespaces")
class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if RUNNING.exists() or namespaces():
            raise unittest.SkipTest("a demo mesh runs on this machine")

    def setUp(self):
        self.addCleanup(demo, "down")

    def test_up_twice_and_down(self):
        code, text = demo("up", "--detach")
        self.assertEqual(0, code, text)
        address = re.search(r"alpha (\d+\.\d+\.\d+\.\d+)", text) or re.search(r"(127\.0\.0\.2)", text)
        shown = subprocess.run([WEFT, "ps", "--json", "--registry", f"tcp://{address.group(1)}:7411"], capture_output=True, text=True, timeout=30)
        self.assertEqual(0, shown.returncode, shown.stderr)
        for host in ("alpha", "beta"):
            self.assertIn(host, shown.stdout)

        code, text = demo("up", "--detach")
        self.assertEqual(0, code, text)
        self.assertIn("already running", text)

        code, text = demo("down")
        self.assertEqual(0, code, text)
        self.assertEqual([], leftovers())
        self.assertIn("no demo mesh runs", demo("down")[1])

    def test_what_a_killed_run_left_is_cleaned_up(self):
        code, text = demo("up", "--detach")
        self.assertEqual(0, code, text)
        os.kill(json.loads(RUNNING.read_text())["pid"], signal.SIGKILL)
        code, text = demo("up", "--detach")
        self.assertEqual(0, code, text)
        self.assertEqual(0, demo("down")[0])
        eventually(lambda: not leftovers(), what="nothing is left")


if __name__ == "__main__":
    unittest.main()
