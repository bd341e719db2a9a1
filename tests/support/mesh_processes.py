"""A registry, single agents and a stand-in for the error bus, on loopback; without a node, so that a test starts and ends each itself."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import msgpack
import zmq

from tests.support import log_lines, mesh_client
from tests.support.waiting import eventually

PROGRAMS = pathlib.Path(os.environ.get("WEFT_PROGRAM_PATH", "build"))
CONFIG = pathlib.Path(os.environ.get("WEFT_SOURCE", ".")) / "config"


def free_ports(count):
    """Ports that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Process:
    def __init__(self, command, log):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEFT")}
        self._log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)

    def wait(self, seconds=10):
        """The exit code."""
        return self.process.wait(seconds)

    def stop(self, number=signal.SIGTERM):
        """The exit code after that signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def log(self):
        return self._log.read_text(errors="replace")


class Bus(threading.Thread):
    """Takes error reports, acknowledges them, and keeps each id once."""

    def __init__(self):
        super().__init__(daemon=True)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self.endpoint = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"
        self._events = {}
        self._ended = threading.Event()
        self.start()

    def run(self):
        while not self._ended.is_set():
            if not self._socket.poll(50):
                continue
            peer, *frames = self._socket.recv_multipart()
            for kind, encoding, number, name, payload in mesh_client.decode(frames):
                if kind == mesh_client.REQUEST and name == "errorbus.report":
                    events = mesh_client.value_of(encoding, payload)["events"]
                    self._events.update({event["id"]: event for event in events})
                    answer = msgpack.packb({"accepted": len(events), "duplicates": 0})
                    self._socket.send_multipart([peer, mesh_client.encode(mesh_client.REPLY, number, "", answer)])
        self._context.destroy(linger=0)

    def close(self):
        self._ended.set()
        self.join()

    def events(self, **wanted):
        """Those whose fields are as wanted, in order of arrival."""
        return [event for event in list(self._events.values()) if all(event[name] == value for name, value in wanted.items())]


class Mesh:
    """A registry, a bus, and the agents that start() starts. close() stops all and removes the folder."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
        self.processes = []
        self.bus = Bus()
        port, publish_port = free_ports(2)
        self.registry = f"tcp://127.0.0.1:{port}"
        self.start("registry", f"registry.port={port}", f"registry.publish_port={publish_port}", "admin.port=0", "registry.store.kind=memory")
        self.client = mesh_client.Client(self.registry)
        eventually(self._registry_answers, what="the registry answers")

    def _registry_answers(self):
        try:
            return self.client.call("registry.ping", timeout=0.2) is not None or True
        except (TimeoutError, LookupError):
            return False

    def start(self, agent, *settings, host="alpha", config=CONFIG, folder=PROGRAMS, program=None):
        """Starts weft-<agent>, or `program` under that name; `settings` are of the form key=value."""
        command = [folder / (program or f"weft-{agent}"), *(["--name", agent] if program else []), "--config-dir", config, "--host", host, "--log-format", "json"]
        for setting in ("mesh.name=test", f"registry.addresses=[{self.registry}]", f"errorbus.address={self.bus.endpoint}",
                        f"state.directory={self.folder}/{host}", f"run.directory={self.folder}/run-{host}", *settings):
            command += ["--set", setting]
        process = Process(command, self.folder / f"{agent}-{host}.log")
        self.processes.append(process)
        return process

    def join(self, agent, *settings, host="alpha", **options):
        """start(), and waits until the registry knows it."""
        process = self.start(agent, *settings, host=host, **options)
        eventually(lambda: self.client.find(agent, host) or self._fail_when_ended(process), what=f"{agent}@{host} joins")
        return process

    @staticmethod
    def _fail_when_ended(process):
        if process.process.poll() is not None:
            raise AssertionError(f"ended with {process.process.returncode}:\n{process.log()}")

    def config_with(self, agent, text):
        """A copy of the configuration folder whose layer of `agent` is `text`."""
        copy = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "config"
        shutil.copytree(CONFIG, copy)
        (copy / "agents" / f"{agent}.yaml").write_text(text)
        return copy

    def close(self):
        for process in reversed(self.processes):
            try:
                process.stop()
            except subprocess.TimeoutExpired:
                process.stop(signal.SIGKILL)
        self.client.__exit__()
        self.bus.close()
        try:
            log_lines.check_files(self.folder.glob("*.log"))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
