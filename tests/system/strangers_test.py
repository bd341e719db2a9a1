"""What processes take from strangers on the network: bytes of a web page, of old versions of ZeroMQ; the mesh continues."""
import re
import resource
import socket
import unittest
import urllib.request

import msgpack

from tests.support import mesh_client
from tests.support.mesh_processes import Mesh
from tests.support.waiting import eventually

READY = b"\x05READY" + b"\x0bSocket-Type" + bytes([0, 0, 0, 6]) + b"DEALER"
EMPTY_FRAMES = b"\x01\x00" * 8000  # of ZMTP 1.0: parsing falls into step with these wherever it enters them


def frame_v1(body):
    return bytes([len(body) + 1, 0]) + body


def post(port, padding, body):
    """What a browser sends for fetch("http://127.0.0.1:port/aaa…", {method: "POST", mode: "no-cors", body})."""
    return (f"POST /{'a' * padding} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\nContent-Length: {len(body)}\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n"
            "Content-Type: text/plain\r\nAccept: */*\r\nOrigin: http://10.88.2.13:8000\r\nReferer: http://10.88.2.13:8000/\r\n"
            "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n").encode() + body


def null_handshake(port):
    """A connection that has said all that ZMTP 3 asks of a peer, and no more."""
    stranger = socket.create_connection(("127.0.0.1", port), timeout=10)
    stranger.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31) +
                     bytes([4, len(READY)]) + READY)
    return stranger


class Strangers(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)
        self.port = int(self.mesh.registry.rpartition(":")[2])

    def send(self, data):
        """Sends and waits until the other end has closed the connection, so that all of it was read or refused."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as stranger:
            try:
                stranger.sendall(data)
                while stranger.recv(4096):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass

    def test_a_web_page_cannot_deregister_an_agent(self):
        self.mesh.join("echo")
        before = self.mesh.client.find("echo")
        deregister = mesh_client.encode(mesh_client.REQUEST, 1, "registry.deregister", msgpack.packb({"slot": before["slot"]}))
        for padding in range(40):
            self.send(post(self.port, padding, EMPTY_FRAMES + frame_v1(deregister) + EMPTY_FRAMES))
        self.send(b"\x01\x00" + frame_v1(deregister))  # ZMTP 1.0
        self.send(b"\xff" + bytes(7) + b"\x01\x7f\x01\x05\x00\x00" + bytes([0, len(deregister)]) + deregister)  # ZMTP 2.0
        self.assertEqual(before["epoch"], self.mesh.client.find("echo")["epoch"])
        self.mesh.client.call_at(self.mesh.registry, "registry.deregister", {"slot": before["slot"]})  # ZMTP 3: does it
        eventually(lambda: (self.mesh.client.find("echo") or before)["epoch"] != before["epoch"], what="echo registers again")

    def test_a_process_that_has_hardly_any_files_left_refuses_connections_and_continues(self):
        registry = self.mesh.processes[0].process
        resource.prlimit(registry.pid, resource.RLIMIT_NOFILE, (1024, 1024))
        admin = self.mesh.client.find("registry")["admin"]
        own = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, own)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, own[1]), own[1]))
        strangers = [null_handshake(self.port) for _ in range(1200)]
        self.addCleanup(lambda: [stranger.close() for stranger in strangers])
        self.assertIsNone(registry.poll())

        def page(path):
            with urllib.request.urlopen(f"http://{admin}{path}", timeout=10) as answer:
                return answer.read().decode()

        self.assertIn("pass", page("/livez"))
        def metric(name):
            return int(re.search(name + r" (\d+)", page("/metrics"))[1])

        eventually(lambda: metric("process_open_fds") < 1024 - 40, what="the last files are free again")
        self.assertGreater(metric(r'weft_connections_refused_total\{reason="no_files"\}'), 200)
        while strangers:
            strangers.pop().close()
        eventually(lambda: self.answers("registry.ping"), what="the registry serves again")

    def answers(self, method):
        try:
            return self.mesh.client.call_at(self.mesh.registry, method, timeout=1)
        except TimeoutError:
            return None


if __name__ == "__main__":
    unittest.main()
