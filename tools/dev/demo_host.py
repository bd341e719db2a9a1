"""One host of the demo mesh: its node process, where that keeps its state, and how it is stopped without a rest."""
import ctypes
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

PR_SET_CHILD_SUBREAPER = 36
SOCKET_PATH_MAX = 60  # ipc paths may have 107 bytes; names come on top of the folder


def invoking_user():
    """Who called, also through sudo: the mesh runs as that user."""
    return pwd.getpwuid(int(os.environ.get("SUDO_UID") or os.getuid()))


def descendants(pid):
    """Every process below `pid`, which adopts those whose parents are gone."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append((int(entry.parent.name), fields[0]))
        except OSError:
            pass
    found, waiting = [], [pid]
    while waiting:
        for child, state in children.get(waiting.pop(), []):
            waiting.append(child)
            if state != "Z":
                found.append(child)
    return found


class Host:
    def __init__(self, name, addresses, namespace, folder):
        self.name, self.address, self.addresses, self.namespace = name, addresses[name], addresses, namespace
        self.registry = f"tcp://{self.address}:7411"
        self.state, self.run = folder / name / "state", Host.run_folder(folder, name)
        self.log = folder / name / "node.log"
        self.process = self._notified = None
        self._is_ready = False
        user = invoking_user()
        for one in (folder / name, self.state, self.run):
            one.mkdir(parents=True, exist_ok=True)
            os.chown(one, user.pw_uid, user.pw_gid)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    @staticmethod
    def run_folder(folder, name):
        run = folder / name / "run"
        if len(str(run)) <= SOCKET_PATH_MAX:
            return run
        return pathlib.Path("/tmp") / f"weft-demo-{hashlib.sha256(str(run).encode()).hexdigest()[:12]}"

    @staticmethod
    def remove_run_folder(folder, name):
        shutil.rmtree(Host.run_folder(folder, name), ignore_errors=True)

    def start(self, weft, fleet, folder=None, more=None):
        """`folder` is where configuration is looked for; `more` is added to the environment."""
        user = invoking_user()
        address_path = self.run / "supervisor.sock"
        address_path.unlink(missing_ok=True)
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._notified.bind(str(address_path))
        os.chown(address_path, user.pw_uid, user.pw_gid)
        command = ["nsenter", f"--net=/run/netns/{self.namespace}", "--"] if self.namespace else []
        command += ["setpriv", "--pdeathsig", "TERM"]  # should the supervisor be killed, the node stops its agents
        if os.geteuid() == 0 and user.pw_uid != 0:
            command += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--init-groups"]
        command += ["--", str(weft), "up", "--host", self.name, "--fleet", str(fleet), "--state", str(self.state), "--run", str(self.run)]
        for host, address in self.addresses.items():
            command += ["--address", f"{host}={address}"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SUDO_", "WEFT_"))}
        environment |= {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "NOTIFY_SOCKET": str(address_path),
                        "WEFT__ADMIN__BIND": "host"} | (more or {})
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder or fleet.parents[2], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            env=environment, start_new_session=True)

    def ready(self):
        """True from when the node said so on its notification socket."""
        try:
            while True:
                if b"READY=1" in self._notified.recv(4096).split(b"\n"):
                    self._is_ready = True
        except BlockingIOError:
            return self._is_ready

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def terminate(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def gone(self):
        return not self.process or self.process.poll() is not None

    def _rest(self):
        """What is left of this host: all of its namespace; without one, orphans of its node, which are ours now."""
        if self.namespace:
            listed = subprocess.run(["ip", "netns", "pids", self.namespace], capture_output=True, text=True).stdout
            return [int(pid) for pid in listed.split()]
        return [pid for pid in descendants(os.getpid()) if self._is_mine(pid)]

    def _is_mine(self, pid):
        try:
            return str(self.run).encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes() + pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def kill_rest(self):
        for pid in self._rest():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:  # orphans that this process has adopted
                pass
        except ChildProcessError:
            pass
