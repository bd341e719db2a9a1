"""A host whose state files are damaged or cannot be opened when it starts: it starts, works, and reports each of them."""
import json
import os
import sys
import unittest
import urllib.error

sys.path.insert(0, os.environ["WEFT_SOURCE"])
from tests.support.mesh import Mesh  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

AGENTS = {"echo": {}, "logwatch": {}}
HEADER_BYTE = 20  # of an SQLite file: bytes reserved at the end of each page


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def codes(mesh):
    events = json.loads(mesh.weft("call", "errorbus.events", "{}", "--json").stdout)
    return {one["event"]["code"] for one in events.get("value", events)["events"]}


def health(mesh):
    return {row["agent"]: row["health"] for row in mesh.json("ps")[0]["processes"]}


def records(mesh):
    done = mesh.weft("list", "--json", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else []


def ready(mesh, port):
    try:
        mesh.http("alpha", port, "/readyz")
        return True
    except urllib.error.HTTPError as error:
        assert error.code == 503, error
        return False


def restarted(mesh, damage):
    """Stops the host, lets `damage` loose on its state folder, and starts it again."""
    assert mesh.stop("alpha") == 0
    damage(mesh.hosts["alpha"].state)
    mesh.start("alpha")
    eventually(lambda: {"echo", "logwatch", "errorbus"} <= {row["agent"] for row in records(mesh)}, 30, "all agents are back")
    assert json.loads(mesh.weft("call", "echo.echo", '{"a": 1}').stdout) == {"a": 1}


class DamagedFiles(unittest.TestCase):
    def test_a_host_starts_with_damaged_files_keeps_them_and_reports_each(self):
        def damage(state):
            flip(state / "errorbus.db", HEADER_BYTE)
            (state / "registry.db").write_bytes(b"")
            positions = state / "agents/logwatch/positions.json"
            positions.unlink(missing_ok=True)
            os.mkfifo(positions)

        with Mesh(AGENTS) as mesh:
            restarted(mesh, damage)
            state = mesh.hosts["alpha"].state
            eventually(lambda: {"WEFT-3010", "WEFT-4004", "POSITIONS_LOST"} <= codes(mesh), 20, "all are reported")
            self.assertEqual(1, len(list(state.glob("errorbus.db.damaged-*Z"))))
            self.assertEqual(1, len(list(state.glob("registry.db.damaged-*Z"))))
            self.assertEqual(1, len(list(state.glob("agents/logwatch/positions.json.damaged-*Z"))))
            self.assertEqual({"passing"}, set(health(mesh).values()))

    def test_a_journal_and_a_store_that_cannot_be_opened_stop_nothing_and_are_critical_until_they_can(self):
        def damage(state):
            for path in state.glob("*.db*"):
                path.unlink()
            (state / "errorbus.db").mkdir()
            (state / "registry.db").symlink_to("registry.db")

        with Mesh(AGENTS) as mesh:
            restarted(mesh, damage)
            state = mesh.hosts["alpha"].state
            eventually(lambda: {"WEFT-3010", "WEFT-4002"} <= codes(mesh), 20, "bus and registry report that they work in memory")
            eventually(lambda: [health(mesh)[one] for one in ("errorbus", "registry")] == ["critical"] * 2, 20, "both are critical")
            self.assertFalse(ready(mesh, 7420))
            self.assertFalse(ready(mesh, 7410))
            (state / "errorbus.db").rmdir()
            (state / "registry.db").unlink()
            eventually(lambda: set(health(mesh).values()) == {"passing"}, 20, "both work again")
            self.assertTrue(ready(mesh, 7420))
            self.assertIn("WEFT-4002", codes(mesh))
            self.assertTrue((state / "errorbus.db").is_file())


if __name__ == "__main__":
    unittest.main()
