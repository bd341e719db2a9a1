"""Rules about the text of files: size, sleeps, paths of one machine."""
import re
import unittest

import tree

LINES_MAX = 400
LONGER = {}  # path: why it is one file all the same
SLEEP = re.compile(r"this_thread::sleep_|\b(usleep|nanosleep|time\.sleep)\s*\(|::sleep\s*\(")
# Waiting for a condition needs a pause between two looks; that lies in one place, which tests call with a deadline.
SLEEPS = {
    "tests/support/waiting.py": "the one place that pauses",
    "tests/rules/text_test.py": "names them",
}
MACHINE_PATH = re.compile("|".join(("/wo" + "rk/(main|shared)", "/tmp/" + "wt/", "/ro" + "ot/", "/home/" + r"\w+/")))


class Text(unittest.TestCase):
    def test_no_source_file_is_over_400_lines(self):
        sources = tree.with_suffix(".hpp", ".cpp", ".py", ".sh") + [name for name in tree.files() if name.endswith("meson.build")]
        long = {name: lines for name in sources if (lines := tree.text(name).count("\n")) > LINES_MAX and name not in LONGER}
        self.assertEqual({}, long)

    def test_no_test_sleeps(self):
        sleeps = [f"{name}:{number}: {line.strip()}"
                  for name in tree.with_suffix(".cpp", ".hpp", ".py") if tree.is_test(name) and name not in SLEEPS
                  for number, line in enumerate(tree.text(name).splitlines(), 1) if SLEEP.search(line)]
        self.assertFalse(sleeps, "\n" + "\n".join(sleeps))

    def test_no_file_names_a_path_of_one_machine(self):
        found = [f"{name}:{number}: {line.strip()[:100]}"
                 for name in tree.files() for number, line in enumerate(tree.text(name).splitlines(), 1) if MACHINE_PATH.search(line)]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_every_header_opens_with_what_it_is(self):
        bare = [name for name in tree.with_suffix(".hpp") if not tree.text(name).startswith("//") and not tree.is_test(name)]
        self.assertEqual([], bare)


if __name__ == "__main__":
    unittest.main()
