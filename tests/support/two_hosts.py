"""Two hosts as docs/two-machines.md has them: one fleet file, `weft up --host … --detach` on each, nothing shared but the network."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

from tests.support.mesh_client import CallFailed, Client
from tests.support.namespaces import Network, inside, processes
from tests.support.waiting import eventually

ROOT = pathlib.Path(os.environ["WEFT_SOURCE"])
WEFT = pathlib.Path(os.environ["WEFT_PROGRAM_PATH"]) / "weft"
HOSTS = ("alpha", "beta")  # alpha is the hub
OTHER = {"alpha": "beta", "beta": "alpha"}


class TwoHosts:
    """Or more of them."""

    def __init__(self, agents, names=HOSTS):
        self.names = names
        self.network = Network(names)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
        self.mesh = f"test{os.getpid()}"
        self._clients = []
        self.fleet = self.folder / "fleet.yaml"
        self.fleet.write_text(json.dumps({  # JSON is YAML
            "mesh": self.mesh, "agents": agents,
            "hosts": {host: {"address": address, "hub": host == names[0]} for host, address in self.network.addresses.items()}}))

    def start(self):
        """All nodes, at the same time; returns when all say that everything is ready."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.up, self.names))

    def up(self, host):
        self.weft(host, "up", "--host", host, "--fleet", str(self.fleet), "--state", str(self.folder / host / "state"),
                  "--run", str(self.run_folder(host)), "--detach")

    def down(self, host):
        self.weft(host, "down")

    def close(self):
        for client in self._clients:
            client.__exit__()
        self.network.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_folder(self, host):
        return self.folder / host / "run"

    def context_files(self, host):
        return list((self.folder / host / "home/weft/contexts").glob("*"))

    def command(self, host, *words):
        """What a person would type on that host, as arguments of a subprocess."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WEFT") and key != "NOTIFY_SOCKET"}
        return {"args": ["nsenter", f"--net=/run/netns/{self.network.namespaces[host]}", "--", WEFT, *words], "cwd": ROOT, "text": True,
                "env": kept | {"XDG_STATE_HOME": str(self.folder / host / "home")}, "stdin": subprocess.DEVNULL}

    def weft(self, host, *words, check=True):
        done = subprocess.run(**self.command(host, *words), capture_output=True, timeout=60)
        assert not check or done.returncode == 0, f"{host}: weft {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def client(self, host):
        """A caller on that host; one for each thread."""
        with inside(self.network.namespaces[host]):
            client = Client(f"tcp://{self.network.addresses[host]}:7411")
        self._clients.append(client)
        return client  # not the last of the list: that may be another thread's by now

    def processes(self, host):
        return processes(self.network.namespaces[host])


def answers(call, *arguments, **options):
    """What `call` returns, or None while it fails: for eventually()."""
    try:
        return call(*arguments, **options)
    except (CallFailed, LookupError, TimeoutError):
        return None


def seen(client):
    """{(agent, host)} that the client's registry lists."""
    return {(record["agent"], record["host"]) for record in answers(client.records) or []}


def newest_number(hub, host):
    """The number of the last error of `host` that the hub has."""
    page = hub.call("errorbus.events", {"code": "ECHO_REPORT", "host": host, "limit": 1}, host="alpha")
    return page["events"][0]["event"]["values"]["number"] if page["events"] else 0


def all_numbers(hub):
    """{host: numbers} of the whole journal of the hub, in its order."""
    found, page = {host: [] for host in HOSTS}, {"next": 0, "more": True}
    while page["more"]:
        page = hub.call("errorbus.events", {"code": "ECHO_REPORT", "limit": 1000, "oldest_first": True, "after": page["next"]}, host="alpha")
        for stored in page["events"]:
            found[stored["event"]["host"]].append(stored["event"]["values"]["number"])
    return found


class Load(threading.Thread):
    """Calls from agent to agent, second by second until ended: `caller` on `host` calls `target` on `to`."""

    def __init__(self, hosts, host, target, to, rate):
        super().__init__(daemon=True)
        self._endpoint = hosts.client(host).find("caller", host)["call_endpoint"]  # not asked again: its registry will be killed
        self._client = hosts.client(host)
        self._request = {"target": target, "host": to, "rate": rate, "seconds": 1, "timeout_ms": 5000}
        self._ended = threading.Event()
        self.name = f"{host} -> {target}@{to}"
        self.ok = self.failed = self.slowest_us = 0
        self.errors, self.trouble = {}, None
        self.start()

    def run(self):
        try:
            while not self._ended.is_set():
                reply = self._client.call_at(self._endpoint, "caller.load", self._request, timeout=20)
                self.ok, self.failed = self.ok + reply["ok"], self.failed + reply["failed"] + reply["held_back"]
                self.slowest_us = max(self.slowest_us, reply["max_us"])
                self.errors.update(reply["errors"])
        except Exception as trouble:  # told by end(), on the thread of the test
            self.trouble = trouble

    def end(self):
        """{"ok", "failed", "errors", "slowest_ms"} of all."""
        self._ended.set()
        self.join()
        if self.trouble:
            raise self.trouble
        return {"load": self.name, "ok": self.ok, "failed": self.failed, "errors": self.errors, "slowest_ms": self.slowest_us / 1000}


class Stopwatch:
    def __init__(self):
        self._began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self._began


def back(condition, seconds, what):
    """How long it took until `condition`; fails after `seconds`."""
    watch = Stopwatch()
    eventually(condition, seconds, what)
    return watch.seconds()
