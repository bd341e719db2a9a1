"""A room includes its own files and the doors of the rooms that the design lets it know."""
import itertools
import unittest

import tree

# What each room knows: exactly the arrows of the code, see test_each_allowed_arrow_is_used. registry and errorbus do not
# know each other, nor what routes calls by name; an agent knows the SDK, and the messages that sysmon and digest share;
# what it decides without a mesh needs base, or actors, only.
MAY_KNOW = {
    "base": [],
    "actor": ["base"],
    "wire": ["base"],
    "io": ["base"],
    "config": ["base"],
    "observe": ["base", "io"],
    "store": ["base"],
    "net": ["base", "wire"],
    "policy": ["base", "config"],
    "events": ["base", "wire", "net", "observe"],
    "calls": ["base", "wire", "net", "observe", "policy"],
    "peer": ["base", "wire", "config", "net", "observe", "policy", "events", "calls"],
    "report": ["base", "observe"],
    "mesh": ["base", "wire", "config", "net", "observe", "policy", "events", "calls", "peer", "report"],
    "queue": ["base", "wire", "config", "observe", "store", "policy", "mesh"],
    "program": ["base", "io", "config", "observe"],
    "agent": ["base", "actor", "io", "observe", "net", "policy", "events", "report", "mesh", "queue", "program"],
    "replica": ["base", "agent"],
    "registry": ["base", "wire", "observe", "store", "net", "peer", "report", "program"],
    "errorbus": ["base", "observe", "store", "net", "peer", "report", "program"],
    "errorbus/main.cpp": ["mesh"],  # besides: rooms meet in main()
    "node": ["base", "config", "observe", "net", "mesh", "program"],
    "cli": ["base", "wire", "io", "config", "observe", "net", "policy", "calls", "peer", "mesh", "queue", "agent", "errorbus", "node"],
    "bench": ["io", "net", "peer", "mesh", "agent", "registry"],
    "docs": [],
    "examples": [],
    "agents": ["agent", "actor", "base", "agents/metrics"],
}
# Rooms whose headers are all doors, but for those that say at their top to what they are private. base.hpp only gathers
# the headers of base.
OPEN_ROOMS = {"base", "wire", "policy", "events", "calls", "peer", "report", "mesh"}
# Doors of the other rooms besides <room>/<room>.hpp.
MORE_DOORS = {"node/places.hpp", "common/weft/store/sqlite.hpp", "common/weft/store/database_file.hpp", "common/weft/queue/messages.hpp", "common/weft/agent.hpp", "common/weft/replica.hpp", "common/weft/agent/tree.hpp",
              "common/weft/actor.hpp", "common/weft/actor_test.hpp", "common/weft/actor/testing.hpp",
              "common/weft/observe/span.hpp", "common/weft/observe/trace.hpp", "common/weft/observe/otlp.hpp",
              "common/weft/observe/shared_metrics.hpp"}


def may_know(room, name=""):
    if room.startswith("agents/"):
        return MAY_KNOW["agents"]
    return MAY_KNOW[room] + MAY_KNOW.get(name, []) if room in MAY_KNOW else None


def is_door(name):
    folder, _, file = name.rpartition("/")
    if name in MORE_DOORS or file == folder.rpartition("/")[2] + ".hpp":
        return True
    return name.startswith("common/") and tree.room_of(name) in OPEN_ROOMS and not is_private(name)


def is_private(name):
    """Its opening comment, which may be several lines, says so."""
    opening = itertools.takewhile(lambda line: line.startswith("//"), tree.text(name).splitlines())
    return "Private to " in " ".join(line.removeprefix("//").strip() for line in opening)


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
                if tree.room_of(path) not in (may_know(room, name) or []):
                    wrong.append(f"{name}: room '{room}' must not know '{tree.room_of(path)}' ({include})")
                elif not is_door(path):
                    wrong.append(f"{name}: {include} is no door of '{tree.room_of(path)}'")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_each_allowed_arrow_is_used(self):
        used = set()
        for name in sources():
            room = tree.room_of(name)
            known = {tree.room_of(path) for _, path in tree.includes(name) if path}
            used |= {(key, one) for one in known for key in (name, "agents" if room.startswith("agents/") else room)
                     if one in MAY_KNOW.get(key, [])}
        unused = [f"'{room}' may know '{one}', and no file of it does" for room, knows in MAY_KNOW.items() for one in knows
                  if (room, one) not in used]
        self.assertFalse(unused, "\n" + "\n".join(unused))

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
