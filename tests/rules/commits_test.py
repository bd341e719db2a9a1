"""The subject of a commit names its room and has at most 72 characters, so that logs and lists show it whole."""
import re
import subprocess
import unittest

import tree

BASE = "3c4cc3d546e1d5701b28799ee23bea4ed957597d"  # older commits are not checked
SUBJECT_MAX = 72


def git(*words):
    return subprocess.run(["git", "-c", f"safe.directory={tree.ROOT}", *words], cwd=tree.ROOT, capture_output=True, text=True)


def mistakes(subjects):
    """What is wrong with each (commit, subject), as text."""
    wrong = []
    for commit, subject in subjects:
        if len(subject) > SUBJECT_MAX:
            wrong.append(f"{commit} {subject!r} has {len(subject)} characters, at most {SUBJECT_MAX}")
        if not re.match(r"[\w./-]+(, [\w./-]+)*: \S", subject) and not subject.startswith(("Merge ", "Revert ")):
            wrong.append(f"{commit} {subject!r} does not begin with a room and a colon, as in 'net: close idle connections'")
    return wrong


class Commits(unittest.TestCase):
    def test_the_subjects_of_new_commits_are_short_and_name_a_room(self):
        if git("merge-base", "--is-ancestor", BASE, "HEAD").returncode != 0:
            self.skipTest("the history is not here: a source archive or a shallow clone")
        lines = git("log", "--no-merges", "--format=%h %s", f"{BASE}..HEAD").stdout.splitlines()
        self.assertEqual([], mistakes(line.split(" ", 1) for line in lines))

    def test_the_rule_finds_what_it_is_for(self):
        self.assertEqual([], mistakes([("1", "node, net: " + "x" * 61), ("2", "tests/rules: check subjects"), ("3", 'Revert "x"')]))
        self.assertEqual(1, len(mistakes([("1", "node: " + "x" * 67)])))
        self.assertEqual(1, len(mistakes([("1", "fix things")])))


if __name__ == "__main__":
    unittest.main()
