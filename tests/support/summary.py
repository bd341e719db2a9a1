"""Counts test cases over all suites of a `meson test` run and prints `N passed, N failed, N skipped` as its last line.

Reads meson's testlog.json and the reports that the suites wrote into a folder: one file a suite, one line a case
(`start`, `passed`, `failed` or `skipped`, tab, name, tab, reason) and `end`. Exit 1 when a case failed or none ran.
"""
import json
import pathlib
import sys


def key_of(command):
    """The name of the report that the suite run by `command` writes: its script's or its program's."""
    scripts = [pathlib.Path(word) for word in command if word.endswith("_test.py")]
    return f"{scripts[-1].parent.name}-{scripts[-1].stem}" if scripts else pathlib.Path(command[0]).name


def read_report(path):
    """(outcome, name, reason) of each case; one that started and did not end has failed, and so has a cut report."""
    cases, running, ended = [], None, False
    for line in path.read_text(errors="replace").splitlines():
        outcome, name, reason = (line.split("\t") + ["", ""])[:3]
        if outcome == "start":
            running = name
        elif outcome == "end":
            ended = True
        else:
            running = None
            cases.append((outcome, name, reason))
    if running is not None:
        cases.append(("failed", running, "the suite died in it"))
    elif not ended:
        cases.append(("failed", path.stem, "the suite died between two cases"))
    return cases


def cases_of(entry, reports):
    report = reports / key_of(entry["command"])
    good = entry["result"] in ("OK", "SKIP")
    if report.exists():
        cases = read_report(report)
        if not good and all(outcome != "failed" for outcome, _, _ in cases):
            cases.append(("failed", entry["name"], f"the suite ended with {entry['result']}"))
        return cases
    last = (entry.get("stdout") or entry.get("stderr") or "").strip().splitlines()[-1:]
    if entry["result"] == "SKIP":
        return [("skipped", entry["name"], last[0] if last else "it gave no reason")]
    return [("passed" if good else "failed", entry["name"], "" if good else f"{entry['result']}, no report")]


def main(log, reports):
    entries = []
    if pathlib.Path(log).exists():
        entries = [json.loads(line) for line in pathlib.Path(log).read_text().splitlines() if line.strip()]
    cases = [case for entry in entries for case in cases_of(entry, pathlib.Path(reports))]
    if not cases:
        print("no test ran: the build failed, or no suite has that name")
        cases = [("failed", "build", "")]
    for wanted in ("skipped", "failed"):
        for outcome, name, reason in cases:
            if outcome == wanted:
                print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    count = {wanted: sum(outcome == wanted for outcome, _, _ in cases) for wanted in ("passed", "failed", "skipped")}
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
