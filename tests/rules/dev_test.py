"""./dev does what its help says, and the count of test cases is right."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree

SUPPORT = tree.ROOT / "tests/support"


def dev(*words):
    return subprocess.run([tree.ROOT / "dev", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


class Dev(unittest.TestCase):
    def test_help_lists_every_verb(self):
        verbs = set(re.findall(r"^verb_(\w+)\(\)", tree.text("dev") + tree.text("tools/dev/test.sh"), re.MULTILINE)) - {"help"}
        shown = dev("help")
        self.assertEqual(0, shown.returncode)
        self.assertEqual(set(), verbs - set(re.findall(r"^  (\w+)", shown.stdout, re.MULTILINE)))

    def test_an_unknown_verb_and_an_unknown_suite_are_usage_errors_that_name_them(self):
        for words, wrong in ((["bild"], "bild"), (["test", "unti"], "unti"), (["test", "unit", "unit/net"], "unit/net"), (["test", "--sanitize=everything"], "everything")):
            with self.subTest(words=words):
                done = dev(*words)
                self.assertEqual(2, done.returncode)
                self.assertIn(wrong, done.stderr)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck_finds_nothing(self):
        scripts = [name for name in tree.files() if name in ("dev", ".ci/run") or name.endswith(".sh")]
        done = subprocess.run(["shellcheck", "-x", *scripts], cwd=tree.ROOT, capture_output=True, text=True)
        self.assertEqual("", done.stdout)

    @unittest.skipUnless(shutil.which("dpkg-query"), "not a Debian system")
    def test_every_package_has_a_group(self):
        lines = [line.split() for line in tree.text("tools/packages.txt").splitlines() if line and not line.startswith("#")]
        self.assertLessEqual({line[0] for line in lines}, {"build", "bench", "run", "test", "sanitize", "lint", "format"})
        self.assertTrue(all(len(line) > 1 for line in lines))


class Summary(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.entries = []

    def suite(self, name, result="OK", report=None, stdout="", command=None, duration=1):
        command = command or ["/build/" + name.replace("/", "-")]
        self.entries.append({"name": f"weft:x / {name}", "result": result, "command": command, "stdout": stdout, "duration": duration})
        if report is not None:
            (self.folder / name.replace("/", "-")).write_text(report)

    def log(self, name="testlog.json"):
        (self.folder / name).write_text("\n".join(map(json.dumps, self.entries)))
        return self.folder / name

    def summary(self, *words):
        return subprocess.run([sys.executable, SUPPORT / "summary.py", *words], capture_output=True, text=True)

    def count(self, *second):
        done = self.summary(self.log(), self.folder, *second)
        return done.stdout.splitlines()[-1], done.returncode, done.stdout

    def second_run(self, name, result, report):
        """What the summary says when suite `name`, which failed in the first run, ran a second time with that result."""
        first, self.entries, folder = self.entries, [], self.folder
        self.folder = folder / "second"
        self.folder.mkdir()
        self.suite(name, result, report)
        second = (self.log(), self.folder)
        self.folder, self.entries = folder, first
        return self.count(*second)

    def test_cases_are_counted_over_all_suites(self):
        self.suite("one", report="start\ta\npassed\ta\nstart\tb\npassed\tb\nend\n")
        self.suite("two", "SKIP", report="start\tc\nskipped\tc\tno root\nend\n")
        self.assertEqual(("2 passed, 0 failed, 1 skipped", 0), self.count()[:2])

    def test_a_failed_case_fails_the_whole(self):
        self.suite("one", "FAIL", report="start\ta\nfailed\ta\nstart\tb\npassed\tb\nend\n")
        self.assertEqual(("1 passed, 1 failed, 0 skipped", 1), self.count()[:2])

    def test_a_suite_that_dies_in_a_case_has_failed_that_case(self):
        self.suite("one", "FAIL", report="start\ta\npassed\ta\nstart\tb\n")
        line, code, text = self.count()
        self.assertEqual(("1 passed, 1 failed, 0 skipped", 1), (line, code))
        self.assertIn("failed: b (the suite died in it)", text)

    def test_a_suite_that_dies_without_a_report_has_failed(self):
        self.suite("one", report="start\ta\npassed\ta\nend\n")
        self.suite("two", "TIMEOUT")
        self.assertEqual(("1 passed, 1 failed, 0 skipped", 1), self.count()[:2])

    def test_a_suite_that_fails_after_its_cases_passed_has_failed(self):
        self.suite("one", "FAIL", report="start\ta\npassed\ta\nend\n")
        self.assertEqual(("1 passed, 1 failed, 0 skipped", 1), self.count()[:2])

    def test_a_skipped_suite_tells_its_reason(self):
        self.suite("one", report="start\ta\npassed\ta\nend\n")
        self.suite("two", "SKIP", stdout="no network namespaces\n")
        line, code, text = self.count()
        self.assertEqual(("1 passed, 0 failed, 1 skipped", 0), (line, code))
        self.assertIn("skipped: two (no network namespaces)", text)

    def test_the_ten_slowest_suites_are_listed_slowest_first(self):
        for number in range(12):
            self.suite(f"suite{number}", duration=number)
        listed = re.findall(r"^ +([\d.]+) s  (\w+)$", self.count()[2], re.MULTILINE)
        self.assertEqual([(f"{number}.0", f"suite{number}") for number in range(11, 1, -1)], listed)

    def test_a_suite_that_passes_in_its_second_run_has_passed_and_is_shown(self):
        self.suite("unit/one", report="start\ta\npassed\ta\nend\n")
        self.suite("hosts/two", "FAIL", report="start\tb\nfailed\tb\tlate\nend\n")
        line, code, text = self.second_run("hosts/two", "OK", "start\tb\npassed\tb\nend\n")
        self.assertEqual(("2 passed, 0 failed, 0 skipped", 0), (line, code))
        self.assertIn("retried: hosts/two passed in its second run; failed in the first: b\n1 of 2 suites retried\n", text)

    def test_a_suite_that_fails_twice_has_failed(self):
        self.suite("hosts/two", "FAIL", report="start\tb\nfailed\tb\tlate\nstart\tc\npassed\tc\nend\n")
        line, code, text = self.second_run("hosts/two", "FAIL", "start\tb\npassed\tb\nstart\tc\nfailed\tc\tlate\nend\n")
        self.assertEqual(("1 passed, 1 failed, 0 skipped", 1), (line, code))
        self.assertIn("retried: hosts/two failed again in its second run; failed in the first: b\n", text)

    def test_only_failed_suites_that_depend_on_time_run_a_second_time_and_only_a_few(self):
        for name, result in (("unit/a", "FAIL"), ("mesh/b", "FAIL"), ("system/c", "TIMEOUT"), ("hosts/d", "OK")):
            self.suite(name, result)
        self.assertEqual(["mesh/b", "system/c"], self.summary("--retry", self.log()).stdout.split())
        self.suite("hosts/e", "FAIL")
        self.assertEqual([], self.summary("--retry", self.log()).stdout.split())

    def test_no_suite_at_all_is_a_failure(self):
        line, code, _ = self.count()
        self.assertEqual(("0 passed, 1 failed, 0 skipped", 1), (line, code))

    def test_nothing_but_skips_is_a_failure(self):
        self.suite("one", "SKIP", stdout="no root")
        self.assertEqual(("0 passed, 0 failed, 1 skipped", 1), self.count()[:2])


class Suite(unittest.TestCase):
    def run_suite(self, body):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a/b/c/thing_test.py"
            path.parent.mkdir(parents=True)
            path.write_text("import os, unittest\nclass T(unittest.TestCase):\n" + body)
            done = subprocess.run([sys.executable, "-B", SUPPORT / "suite.py", path], env={"WEFT_TEST_REPORTS": folder}, capture_output=True, text=True)
            return done.returncode, (pathlib.Path(folder) / "c-thing_test").read_text().splitlines()

    def test_a_report_has_one_line_a_case(self):
        code, lines = self.run_suite("  def test_a(self): pass\n  def test_b(self): self.fail()\n  def test_c(self): self.skipTest('why')\n")
        self.assertEqual(1, code)
        self.assertEqual(["passed", "failed", "skipped"], [line.split("\t")[0] for line in lines if line[:5] not in ("start", "end")])

    def test_all_skipped_is_exit_code_77(self):
        self.assertEqual(77, self.run_suite("  def test_c(self): self.skipTest('why')\n")[0])

    def test_a_class_that_cannot_be_set_up_is_skipped_or_failed_as_it_says(self):
        setup = "  @classmethod\n  def setUpClass(cls): {}\n  def test_a(self): pass\n"
        self.assertEqual(77, self.run_suite(setup.format("raise unittest.SkipTest('no root')"))[0])
        self.assertEqual(1, self.run_suite(setup.format("raise RuntimeError('x')"))[0])

    def test_a_suite_that_dies_leaves_the_case_it_died_in(self):
        code, lines = self.run_suite("  def test_a(self): os._exit(3)\n")
        self.assertEqual(3, code)
        self.assertTrue(lines[-1].startswith("start\t"))


if __name__ == "__main__":
    unittest.main()
