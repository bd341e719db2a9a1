"""A room includes its own files and the doors of the rooms that the design lets it know."""
import unittest

import tree

COMMON = ["base", "actor", "wire", "io", "config", "observe", "store", "net", "mesh", "queue", "program", "agent", "replica"]
# What each room may know. registry and errorbus do not know each other; an agent knows the
# SDK, and the messages that sysmon and digest share; what it decides without a mesh needs base, or actors, only.
MAY_KNOW = {
    "base": [],
    "actor": ["base"],
    "wire": ["base"],
    "io": ["base"],
    "config": ["base"],
    "observe": ["base", "config", "io"],
    "store": ["base", "config"],
    "net": ["base", "wire", "observe"],
    "mesh": ["base", "actor", "wire", "io", "config", "observe", "store", "net"],
    "queue": ["base", "config", "observe", "store", "mesh"],
    "program": ["base", "io", "config", "observe"],
    "agent": ["base", "actor", "wire", "io", "config", "observe", "store", "net", "mesh", "queue", "program"],
    "replica": ["base", "actor", "observe", "mesh", "agent"],
    "registry": COMMON,
    "errorbus": COMMON,
    "node": COMMON,
    "cli": COMMON + ["errorbus", "node"],
    "bench": COMMON + ["registry"],
    "docs": ["agent"],
    "examples": ["actor"],
}
# Doors besides <room>/<room>.hpp.
MORE_DOORS = {"common/weft/mesh/payload.hpp", "common/weft/mesh/record.hpp", "common/weft/mesh/reporter.hpp", "common/weft/mesh/inspect.hpp", "common/weft/mesh/interceptor.hpp", "common/weft/mesh/stream.hpp", "common/weft/mesh/spans.hpp", "common/weft/mesh/consumer_span.hpp",
              "common/weft/mesh/hints.hpp", "common/weft/mesh/policy.hpp",
              "common/weft/store/sqlite.hpp", "common/weft/store/database_file.hpp", "common/weft/queue/messages.hpp", "common/weft/agent.hpp", "common/weft/replica.hpp", "common/weft/agent/tree.hpp",
              "common/weft/actor.hpp", "common/weft/actor_test.hpp", "common/weft/actor/testing.hpp",
              "common/weft/observe/span.hpp", "common/weft/observe/trace.hpp", "common/weft/observe/otlp.hpp"}


def may_know(room):
    return ["agent", "actor", "base", "agents/metrics"] if room.startswith("agents/") else MAY_KNOW.get(room)


def is_door(name):
    """Each header of base is one: base.hpp only gathers them."""
    folder, _, file = name.rpartition("/")
    return name in MORE_DOORS or folder == "common/weft/base" or file == folder.rpartition("/")[2] + ".hpp"


def sources():
    return [name for name in tree.with_suffix(".hpp", ".cpp") if not tree.is_test(name)]


class Rooms(unittest.TestCase):
    def test_every_room_is_in_the_table(self):
        rooms = {tree.room_of(name) for name in sources()}
        self.assertEqual([], sorted(room for room in rooms if may_know(room) is None))

    def test_a_room_includes_only_doors_of_rooms_it_may_know(self):
        wrong = []
        for name in sources():
            room = tree.room_of(name)
            for include, path in tree.includes(name):
                if path is None or tree.room_of(path) == room:
                    continue
                if tree.room_of(path) not in (may_know(room) or []):
                    wrong.append(f"{name}: room '{room}' must not know '{tree.room_of(path)}' ({include})")
                elif not is_door(path):
                    wrong.append(f"{name}: {include} is no door of '{tree.room_of(path)}'")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_every_quoted_include_names_a_file_of_the_tree(self):
        missing = [f"{name}: {include}" for name in sources() for include, path in tree.includes(name)
                   if path is None and not (include.startswith("weft/") and "docs/" in name)]
        self.assertFalse(missing, "\n" + "\n".join(missing))

    def test_public_headers_keep_boost_and_zeromq_out(self):
        wrong = []
        for door in filter(is_door, tree.with_suffix(".hpp", under="common/weft/")):
            for name in tree.closure(door):
                wrong += [f"{name} (from {door}): {line}" for line in tree.text(name).splitlines()
                          if line.startswith("#include <") and any(word in line for word in ("<boost/", "<zmq", "<spdlog", "<yaml-cpp"))]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
