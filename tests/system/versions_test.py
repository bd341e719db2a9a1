"""Versions in a mesh of real processes: `weft check versions`, and what who speaks another protocol is told."""
import json
import os
import pathlib
import subprocess
import unittest

import msgpack
import zmq

from tests.support import mesh_client
from tests.support.mesh_processes import Mesh

WEFT = pathlib.Path(os.environ["WEFT_BUILD"]) / "weft"


class Versions(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)

    def check(self, *words, registry=None):
        return subprocess.run([str(WEFT), "check", "versions", *words, "--registry", registry or self.mesh.registry],
                              capture_output=True, text=True, timeout=60)

    def register(self, agent, version, instance, **more):
        """A process of another release, as the registry knows it: what it is lies in its record."""
        record = {"mesh": "test", "host": "beta", "agent": agent, "version": version, "slot": f"{agent}@beta", "instance": instance,
                  "call_endpoint": "tcp://127.0.0.1:1"} | more
        return self.mesh.client.call_at(self.mesh.registry, "registry.register", record)

    def test_an_even_mesh_is_even_and_a_spread_is_told_with_who_runs_what(self):
        self.mesh.join("echo")
        even = self.check("--json")
        self.assertEqual(0, even.returncode, even.stderr)
        self.assertEqual("even: 2 instances\n", self.check("--quiet").stdout)
        shown = json.loads(even.stdout)
        self.assertTrue(shown["even"])
        self.assertEqual([], shown["findings"])
        self.assertEqual([["echo@alpha", "registry@alpha"]], [one["holders"] for one in shown["weft"]])
        self.assertEqual(["1"], [one["version"] for one in shown["protocol"]])
        self.assertEqual({"echo", "registry"}, {one["agent"] for one in shown["agents"]})

        own = next(one["versions"][0]["version"] for one in shown["agents"] if one["agent"] == "echo")
        self.register("echo", "0.0.9", "01M7XEYCSKSEBGXNK5G7CDA3B8", tags={"weft": "0.0.9"})
        spread = self.check()
        self.assertEqual(1, spread.returncode, spread.stdout + spread.stderr)
        self.assertIn(f"warning: more than one version of agent 'echo': 0.0.9 (echo@beta), {own} (echo@alpha)", spread.stdout)
        self.assertIn("warning: more than one release of Weft: 0.0.9 (echo@beta)", spread.stdout)
        self.assertRegex(spread.stdout, r"agent echo\t0\.0\.9\t1\techo@beta")
        self.assertEqual(2, len(self.check("--quiet").stdout.splitlines()))

    def test_a_registry_refuses_who_speaks_another_protocol_with_both_ranges(self):
        with self.assertRaises(mesh_client.CallFailed) as refused:
            self.register("echo", "9.0.0", "01M7XEYCSKSEBGXNK5G7CDA3B8", protocol_min=2, protocol_max=3)
        self.assertEqual("WEFT-2002", refused.exception.code)
        self.assertEqual("agent 'echo' speaks versions 2 to 3 of the protocol, this registry version 1", refused.exception.message)
        self.register("echo", "9.0.0", "01M7XEYCSKSEBGXNK5G7CDA3B8", protocol_min=1, protocol_max=2)
        spread = self.check()
        self.assertEqual(1, spread.returncode)
        self.assertIn("more than one range of the protocol: 1 (registry@alpha), 1 to 2 (echo@beta)", spread.stdout)

    def test_an_envelope_of_another_version_is_answered_at_once_with_both_versions(self):
        self.mesh.join("echo")
        request = bytearray(mesh_client.encode(mesh_client.REQUEST, 77, "echo.echo", msgpack.packb(None)))
        request[2] = 9
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(self.mesh.client.find("echo")["call_endpoint"])
            socket.send(bytes(request))
            self.assertTrue(socket.poll(5000), "it is answered")
            kind, _, number, _, body = next(mesh_client.decode(socket.recv_multipart()))
        self.assertEqual((mesh_client.ERROR, 77), (kind, number))
        error = msgpack.unpackb(body, raw=False)
        self.assertEqual(("WEFT-2002", "the envelope has version 9, this program speaks version 1"), (error["code"], error["message"]))

    def test_without_a_registry_nothing_is_known(self):
        done = self.check("--timeout", "300ms", registry="127.0.0.1:1")
        self.assertEqual(3, done.returncode, done.stdout + done.stderr)
        self.assertIn("WEFT-3001 NO_REGISTRY", done.stderr)


if __name__ == "__main__":
    unittest.main()
