"""Programs of one host on a loopback address of their own, without a node: a mesh small enough for one test.

    with Processes("registry", "echo") as mesh:
        mesh.weft("list").stdout
"""
import json
import os
import pathlib
import subprocess
import tempfile

from tests.support.waiting import eventually

PROGRAMS = pathlib.Path(os.environ["WEFT_PROGRAM_PATH"])


def run_weft(*words, home, stdin="", timeout=30, **environment):
    """`weft` as in a fresh login: nothing of the caller's WEFT_* variables, folders under `home`."""
    return subprocess.run([PROGRAMS / "weft", *words], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env=clean_environment(home, **environment))


def clean_environment(home, **more):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WEFT") and key != "NO_COLOR"}
    return kept | {"XDG_STATE_HOME": home, "XDG_RUNTIME_DIR": home, "XDG_CONFIG_HOME": home} | more


class Processes:
    count = 0

    def __init__(self, *programs):
        Processes.count += 1
        pid = os.getpid()
        self.programs, self.running = programs, []
        self.address = f"127.{128 + pid // 62500 % 64}.{pid // 250 % 250}.{1 + (pid + 97 * Processes.count) % 250}"
        self.registry = f"tcp://{self.address}:7411"
        self.home = tempfile.TemporaryDirectory(prefix="weft-")

    def __enter__(self):
        for program in self.programs:
            self.start(program)
        eventually(lambda: {record["agent"] for record in self.records()} >= set(self.programs), 30)
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
        for process in reversed(self.running):
            process.wait(20)
        self.home.cleanup()

    def start(self, program):
        settings = ["admin.port=0", "registry.store.kind=memory", "mesh.name=small", "host.name=alpha",
                    f"host.address={self.address}", f"registry.addresses=[{self.registry}]",
                    f"errorbus.address=tcp://{self.address}:7421"]
        command = [PROGRAMS / f"weft-{program}", *(word for one in settings for word in ("--set", one))]
        self.running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                             env=clean_environment(self.home.name)))

    def weft(self, *words, **how):
        return run_weft(*words, home=self.home.name, WEFT_REGISTRY=self.registry, **how)

    def records(self):
        done = self.weft("list", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else []
