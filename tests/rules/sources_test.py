"""Rules about sources: a class is in one .cpp, an enum's names are as many as its values, a conditional is no statement, and
each source has a test of its name."""
import collections
import re
import unittest

import tree

# Classes whose members are in several .cpp files, and why. A file name says which part it has.
IN_SEVERAL_FILES = {
    ("actor", "Context"): "the door's part, and sending, which is inlined with that of the runtime",
    ("actor", "Runtime"): "by subject: lifecycle, turns, sending, tree, supervised",
    ("agent", "Hosted"): "the SDK's calls of work queues apart",
    ("agents/echo", "Echo"): "load and streams apart from the plain methods",
    ("calls", "Caller"): "streams, and the calls that wait, apart",
    ("calls", "Dispatcher"): "deduplication, and what it shows of itself, apart",
    ("errorbus", "Journal"): "writing, the file, and queries apart",
    ("mesh", "Steering"): "gossip about circuits, and what it shows of itself, apart",
    ("queue", "Producer"): "items coming in, and their delivery, apart",
}
MEMBER = re.compile(r"^(?!\s)(?:[\w:<>,&*\s\[\]]+?\s|)((?:\w+::)*)(\w+)::(~?\w+|operator[^\s(]*)\(", re.MULTILINE)

# An array of names with its length in digits: a value added to the enum would read past it. The count stands beside the
# enum, and a static_assert compares: `constexpr auto kNames = std::to_array<std::string_view>({…}); static_assert(…)`.
COUNTED_NAMES = re.compile(r"std::array<std::string_view, ?\d+>")
NO_ENUM = {
    "agents/digest/window.cpp": "the names of three windows, which are no enum",
    "cli/log_lines.cpp": "keys of a log line, which are no enum",
}

LITERAL = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'')
NOT_A_STATEMENT = re.compile(r"\b(return|co_return|co_yield|throw|case|using|operator|static_assert|requires)\b|[^=!<>]=[^=]|<<|#")


def production(*suffixes):
    return [name for name in tree.with_suffix(*suffixes)
            if not tree.is_test(name) and name.split("/")[0] in ("common", "registry", "errorbus", "node", "cli", "agents")]


def depth_changes(text):
    return sum((char in "([{") - (char in ")]}") for char in text)


def conditional_statements(text):
    """The statements that are `a ? b() : c();`, whose value nobody uses."""
    plain = LITERAL.sub(lambda match: " " * len(match.group()), text)
    for match in re.finditer(r"(?<=[;{}])\s*([\w:*!(][^;{}]*?\?[^;{}]*);", plain):
        before = match.group(1).split("?")[0]
        if depth_changes(before) == 0 and not NOT_A_STATEMENT.search(before):
            yield " ".join(match.group(1).split())


class Sources(unittest.TestCase):
    def test_a_class_is_in_one_file_or_there_is_a_reason(self):
        files = collections.defaultdict(set)
        for name in production(".cpp"):
            for match in MEMBER.finditer(tree.text(name)):
                files[tree.room_of(name), (match.group(1) + match.group(2)).removesuffix("::Impl")].add(name)
        several = {of: sorted(names) for of, names in files.items() if len(names) > 1}
        new = {of: names for of, names in several.items() if of not in IN_SEVERAL_FILES}
        self.assertFalse(new, "one file for each class, or a reason in IN_SEVERAL_FILES")
        self.assertFalse(sorted(set(IN_SEVERAL_FILES) - set(several)), "in one file now: take them out of IN_SEVERAL_FILES")

    def test_the_names_of_an_enum_are_as_many_as_its_values(self):
        found = [f"{name}: {match.group()}" for name in production(".cpp", ".hpp") if name not in NO_ENUM
                 for match in COUNTED_NAMES.finditer(tree.text(name))]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_no_conditional_expression_is_a_statement(self):
        found = [f"{name}: {statement}" for name in production(".cpp", ".hpp") for statement in conditional_statements(tree.text(name))]
        self.assertFalse(found, "write if and else\n" + "\n".join(found))

    def test_each_source_has_a_test_of_its_name(self):
        """tests/rules/untested.txt lists those that do not; it only shrinks."""
        tests = {name.rpartition("/")[2].rsplit(".", 1)[0] for name in tree.with_suffix("_test.cpp", "_test.py")}
        without = []
        for name in production(".cpp"):
            stem = name.rpartition("/")[2].removesuffix(".cpp")
            room = tree.room_of(name).rpartition("/")[2]
            if stem != "main" and not {f"{stem}_test", f"{room}_{stem}_test"} & tests:
                without.append(name)
        listed = tree.text("tests/rules/untested.txt").split()
        self.assertFalse(sorted(set(without) - set(listed)), "write a test file of that name")
        self.assertFalse(sorted(set(listed) - set(without)), "tested now, or gone: take them out of tests/rules/untested.txt")

    def test_the_rules_see_what_they_are_for(self):
        self.assertEqual(["held && fine ? share() : keep(x)"], list(conditional_statements("{ f(); held && fine ? share() : keep(x); }")))
        for fine in ("x = a ? b : c;", "return a ? b : c;", "f(a ? b : c);", "auto x = a ? b() : c();", "out << (a ? b : c);", 'f("a ? b : c");'):
            self.assertEqual([], list(conditional_statements("{ g(); " + fine + " }")), fine)
        self.assertTrue(COUNTED_NAMES.search("constexpr std::array<std::string_view, 3> names{"))
        self.assertEqual([("", "Steering", "explain")], MEMBER.findall("wire::CallExplanation Steering::explain(std::string_view name) {"))


if __name__ == "__main__":
    unittest.main()
