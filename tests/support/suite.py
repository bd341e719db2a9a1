"""Runs one unittest file as a meson test: `suite.py path/of/some_test.py [unittest arguments]`.

Writes the report that summary.py counts (when WEFT_TEST_REPORTS names a folder). Exit 77 when every case was skipped.
"""
import importlib.util
import os
import pathlib
import sys
import unittest


class Report(unittest.TextTestResult):
    """A result that also writes one line a case, so that a suite that dies still says how far it came."""

    file = open(os.devnull, "w")

    def _line(self, *words):
        print(*(str(word).replace("\t", " ").replace("\n", " ") for word in words), sep="\t", file=self.file, flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.outcome = ("passed", "")
        self._line("start", test.id())

    def stopTest(self, test):
        super().stopTest(test)
        self._line(self.outcome[0], test.id(), self.outcome[1])
        self.outcome = None

    def _note(self, test, outcome, reason=""):
        if getattr(self, "outcome", None) is None:  # outside of a case: setUpClass, setUpModule
            self._line(outcome, test.id(), reason)
        elif self.outcome[0] != "failed":
            self.outcome = (outcome, reason)

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, "failed", err[1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, "failed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", subtest._subDescription())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, "failed", "was expected to fail")


def load(path):
    sys.path.insert(0, str(path.parent))
    sys.path.insert(0, str(path.parents[2]))  # the tree: `from tests.support import ...`
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    if folder := os.environ.get("WEFT_TEST_REPORTS"):
        Report.file = open(pathlib.Path(folder) / f"{path.parent.name}-{path.stem}", "w")
    runner = unittest.TextTestRunner(resultclass=Report, verbosity=2)
    program = unittest.main(load(path), argv=[path.stem, *sys.argv[2:]], testRunner=runner, exit=False)
    print("end", file=Report.file, flush=True)
    result = program.result
    if not result.wasSuccessful():
        return 1
    if result.skipped and len(result.skipped) >= result.testsRun:
        print("; ".join(sorted({reason for _, reason in result.skipped})))
        return 77
    return 0 if result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
