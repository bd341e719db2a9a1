"""The demo mesh of `./dev up` and `./dev down`: two hosts on this machine, each run by a node of its own.

Everything it leaves on disk lies in .weft/ of the checkout: state and logs of both hosts, and while it runs who runs it.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import demo_network as network
from demo_host import Host, invoking_user

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".weft"
RUNNING = FOLDER / "demo.json"
WEFT = pathlib.Path(os.environ.get("WEFT_PROGRAM_PATH", ROOT / "build")) / "weft"
FLEET = ROOT / "config/fleets/demo.yaml"
HOSTS = ["alpha", "beta"]
START_SECONDS, STOP_SECONDS = 60, 9.5
began = time.monotonic()


def step(text):
    print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)


def running():
    """What RUNNING says when its supervisor lives, else None."""
    try:
        noted = json.loads(RUNNING.read_text())
        words = pathlib.Path(f"/proc/{noted['pid']}/cmdline").read_bytes().split(b"\0")
        return noted if any(word.endswith(b"demo.py") for word in words) else None
    except (OSError, ValueError, KeyError):
        return None


def as_root(arguments):
    """Namespaces need root; with sudo this goes on as root, and the mesh still runs as who called."""
    if os.geteuid() != 0 and shutil.which("sudo") and subprocess.run(["sudo", "-v"]).returncode == 0:
        keep = f"XDG_STATE_HOME={os.environ['XDG_STATE_HOME']}" if "XDG_STATE_HOME" in os.environ else "WEFT_DEMO=1"
        os.execvp("sudo", ["sudo", keep, sys.executable, "-B", __file__, *arguments])


def clean_leftovers():
    if network.exists(HOSTS):
        left = network.processes(HOSTS)
        if left and not RUNNING.exists():
            sys.exit(f"dev: the namespaces of a demo mesh are in use by processes {left}: another checkout runs it; stop it there first")
        step("cleaning up after a run that did not end well")
        for pid in left:
            kill(pid, signal.SIGKILL)
        network.remove(HOSTS)
    for name in HOSTS:
        Host.remove_run_folder(FOLDER, name)
    RUNNING.unlink(missing_ok=True)


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Demo:
    """Two hosts from start to stop. Its methods run on one thread; signals only set a flag."""

    def __init__(self):
        self.hosts = []
        self.in_namespaces = False
        self.stop_asked = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number, frame):
        self.stop_asked += 1

    def start(self):
        addresses = self._network()
        RUNNING.write_text(json.dumps({"pid": os.getpid(), "addresses": addresses}))
        for name in HOSTS:
            namespace = network.PREFIX + name if self.in_namespaces else None
            self.hosts.append(Host(name, addresses, namespace, FOLDER))
        for host in self.hosts:
            host.start(WEFT, FLEET)
            step(f"{host.name}: node started (process {host.process.pid})")
        return self._wait_until_ready()

    def _network(self):
        try:
            addresses = network.create(HOSTS)
            self.in_namespaces = True
            step("network: two namespaces on a bridge: " + ", ".join(f"{host} {address}" for host, address in addresses.items()))
        except network.NotPermitted as reason:
            addresses = {"alpha": "127.0.0.2", "beta": "127.0.0.3"}
            step(f"network: namespaces are not permitted here ({reason}); the hosts are 127.0.0.2 and 127.0.0.3")
        return addresses

    def _wait_until_ready(self):
        waiting, end = list(self.hosts), time.monotonic() + START_SECONDS
        while waiting and not self.stop_asked:
            for host in list(waiting):
                if host.ready():
                    waiting.remove(host)
                    step(f"{host.name}: ready")
                elif host.process.poll() is not None or time.monotonic() > end:
                    why = f"ended with {host.process.returncode}" if host.process.returncode is not None else "is not ready in time"
                    print(f"dev: the node of {host.name} {why}; the end of {host.log}:\n{host.log_tail()}", file=sys.stderr)
                    return False
            time.sleep(0.05)
        return not self.stop_asked

    def show(self):
        alpha = self.hosts[0]
        print(flush=True)
        subprocess.run([WEFT, "ps", "--registry", alpha.registry], timeout=20)
        print("\nto open:")
        for host in self.hosts:
            print(f"  {host.name + ':':7} http://{host.address}:7410/v1/agents (registry)   http://{host.address}:7420/metrics (error bus)   "
                  f"http://{host.address}:7400/info (node)")
        print("\nto try:\n  build/weft call digest.summary\n  build/weft sub 'host.*.metrics' --count 4\n  build/weft errors list\n", flush=True)

    def watch(self):
        """Returns when a stop is wanted or a node ended by itself."""
        while not self.stop_asked:
            for host in self.hosts:
                if host.process.poll() is not None:
                    print(f"dev: the node of {host.name} ended with {host.process.returncode}; see {host.log}", file=sys.stderr)
                    return 1
            time.sleep(0.2)
        return 0

    def stop(self):
        end, asked = time.monotonic() + STOP_SECONDS, self.stop_asked
        for left, host in zip(range(len(self.hosts), 0, -1), reversed(self.hosts)):
            share = time.monotonic() + (end - time.monotonic()) / left
            host.terminate()
            while not host.gone() and time.monotonic() < share and self.stop_asked <= asked:
                time.sleep(0.02)
            step(f"{host.name}: stopped" if host.gone() else f"{host.name}: does not stop, killed")
            host.kill_rest()
        if self.in_namespaces:
            network.remove(HOSTS)
            step("network: removed")
        for name in HOSTS:
            Host.remove_run_folder(FOLDER, name)
        RUNNING.unlink(missing_ok=True)
        (FOLDER / "demo.ready").unlink(missing_ok=True)


def up():
    demo = Demo()
    code = 1
    try:
        if demo.start():
            demo.show()
            (FOLDER / "demo.ready").touch()
            if sys.stdout.isatty():
                print("Ctrl-C stops it.", flush=True)
            code = demo.watch()
    finally:
        print(flush=True)
        demo.stop()
    return code


def up_detached():
    """Starts `up` in the background and returns when it is ready or has failed."""
    output = FOLDER / "demo.log"
    with open(output, "wb") as log:
        child = subprocess.Popen([sys.executable, "-B", __file__, "up", "--began", str(began)], stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    ready, end = FOLDER / "demo.ready", time.monotonic() + START_SECONDS + 20
    while not ready.exists() and child.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    print(output.read_text(errors="replace").rstrip())
    if not ready.exists():
        return 1
    print("\nIt runs in the background; ./dev down stops it.")
    return 0


def down():
    noted = running()
    if noted is None:
        clean_leftovers()
        print("dev: no demo mesh runs")
        return 0
    kill(noted["pid"], signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS + 3
    while running() and time.monotonic() < end:
        time.sleep(0.05)
    if running():
        kill(noted["pid"], signal.SIGKILL)
    clean_leftovers()
    step("stopped")
    return 0


def main():
    global began
    parser = argparse.ArgumentParser(prog="./dev", description=__doc__)
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--detach", action="store_true", help="in the background; ./dev down stops it")
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    began = options.began or began
    as_root(sys.argv[1:])
    user = invoking_user()
    FOLDER.mkdir(exist_ok=True)
    os.chown(FOLDER, user.pw_uid, user.pw_gid)
    if options.verb == "down":
        return down()
    if noted := running():
        print("dev: the demo mesh is already running (process {pid}); ./dev down stops it".format(**noted))
        return 0
    clean_leftovers()
    (FOLDER / "demo.ready").unlink(missing_ok=True)
    return up_detached() if options.detach else up()


if __name__ == "__main__":
    sys.exit(main())
