"""A mesh of real processes for a test: hosts with addresses of their own, so that fixed ports do not clash between tests.

    with Mesh({"echo": {"on": ["alpha"]}}) as mesh:
        mesh.weft("call", "echo.echo", '{"a": 1}').stdout
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(os.environ["WEFT_SOURCE"])
PROGRAMS = pathlib.Path(os.environ["WEFT_PROGRAM_PATH"])
sys.path.insert(0, str(ROOT / "tools/dev"))
from demo_host import Host  # noqa: E402: the same as ./dev up starts
from tests.support import log_lines  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

STOP_SECONDS = 15


class Mesh:
    """Loopback addresses are taken from this process's id. With `namespaces` {host: name} and `addresses` hosts are elsewhere."""

    count = 0

    def __init__(self, agents, hosts=("alpha",), addresses=None, namespaces=None, environment=None):
        Mesh.count += 1
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
        one, two = 64 + os.getpid() // 250 % 64 + 64 * (os.getpid() // 16000 % 2), 1 + os.getpid() % 250
        self.addresses = addresses or {host: f"127.{one}.{two}.{16 * Mesh.count % 240 + 2 + i}" for i, host in enumerate(hosts)}
        self.environment = {"XDG_STATE_HOME": str(self.folder / "xdg"), "WEFT_PROGRAM_PATH": str(PROGRAMS)} | (environment or {})
        fleet = {"mesh": f"test{os.getpid()}", "agents": agents,
                 "hosts": {host: {"address": address, "hub": host == hosts[0]} for host, address in self.addresses.items()}}
        self.fleet = self.folder / "fleet.yaml"
        self.fleet.write_text(json.dumps(fleet))  # JSON is YAML
        self.hosts = {host: Host(host, self.addresses, (namespaces or {}).get(host), self.folder) for host in hosts}

    def __enter__(self):
        try:
            for host in self.hosts:
                self.start(host)
            for host in self.hosts:
                self.wait(host)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, failure=None, *_):
        for host in reversed(self.hosts):
            self.stop(host)
        try:
            if failure is None:
                log_lines.check_files([*self.folder.glob("*/state/log/*.log*"), *self.folder.glob("*/node.log")])
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, host):
        self.hosts[host].start(PROGRAMS / "weft", self.fleet, ROOT, self.environment)

    def wait(self, host, seconds=30):
        """Until everything of `host` is ready."""
        one = self.hosts[host]
        try:
            eventually(lambda: one.ready() or one.gone(), seconds, f"{host} is ready")
            assert not one.gone(), f"the node of {host} ended with {one.process.returncode}"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{one.log_tail()}") from None

    def stop(self, host):
        """Returns the exit code of the node; what does not stop in time is killed and is None."""
        one = self.hosts[host]
        if one.process is None:
            return None
        one.terminate()
        try:
            eventually(one.gone, STOP_SECONDS)
        except AssertionError:
            one.kill_rest()
            return None
        one.kill_rest()
        return one.process.returncode

    def weft(self, *words, host=None, check=True, stdin=None, timeout=60):
        """Runs the command with the registry of `host` (the first one)."""
        registry = self.hosts[host or next(iter(self.hosts))].registry
        done = subprocess.run([PROGRAMS / "weft", *words, "--registry", registry], capture_output=True, text=True, input=stdin,
                              timeout=timeout, env=os.environ | self.environment, cwd=ROOT)
        assert not check or done.returncode == 0, f"weft {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words, **more):
        return json.loads(self.weft(*words, "--json", **more).stdout)

    def http(self, host, port, path):
        with urllib.request.urlopen(f"http://{self.addresses[host]}:{port}{path}", timeout=10) as answer:
            return answer.read().decode()
