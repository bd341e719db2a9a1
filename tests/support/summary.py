"""Counts test cases over all suites of a `meson test` run and prints `N passed, N failed, N skipped` as its last line.

    summary.py LOG REPORTS [LOG REPORTS of the second run of some suites]
    summary.py --retry LOG      prints the suites to run a second time

Reads meson's testlog.json and the reports that the suites wrote into a folder: one file a suite, one line a case
(`start`, `passed`, `failed` or `skipped`, tab, name, tab, reason) and `end`. Exit 1 when a case failed or none ran.
The slowest suites are printed, and so is each suite that needed a second run, with what failed in the first.
"""
import json
import pathlib
import sys

SLOWEST = 10
RETRIED_MAX = 3
TIMED = ("mesh", "system", "hosts")  # suites whose cases have real deadlines; a retry of any other could only hide a fault
GOOD = ("OK", "SKIP")


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
    good = entry["result"] in GOOD
    if report.exists():
        cases = read_report(report)
        if not good and all(outcome != "failed" for outcome, _, _ in cases):
            cases.append(("failed", entry["name"], f"the suite ended with {entry['result']}"))
        return cases
    last = (entry.get("stdout") or entry.get("stderr") or "").strip().splitlines()[-1:]
    if entry["result"] == "SKIP":
        return [("skipped", entry["name"], last[0] if last else "it gave no reason")]
    return [("passed" if good else "failed", entry["name"], "" if good else f"{entry['result']}, no report")]


def entries_of(log):
    """Name -> entry of the suites that ran, in their order; no log, no suite."""
    path = pathlib.Path(log)
    lines = path.read_text().splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines if line.strip()]
    for entry in entries:
        entry["name"] = entry["name"].split(" / ")[-1]  # "weft:unit / unit/net" is unit/net
    return {entry["name"]: entry for entry in entries}


def print_slowest(entries):
    print("slowest suites:")
    for name in sorted(entries, key=lambda name: -entries[name].get("duration", 0))[:SLOWEST]:
        print(f"{entries[name].get('duration', 0):8.1f} s  {name}")


def to_retry(log):
    """The failed suites that depend on time and may have lacked a free core. Many at once are a fault, not a busy machine."""
    failed = [name for name, entry in entries_of(log).items() if entry["result"] not in GOOD]
    timed = [name for name in failed if name.split("/")[0] in TIMED]
    return timed if len(failed) <= RETRIED_MAX else []


def print_retries(first, reports, second):
    for name in second:
        result = "passed" if second[name]["result"] in GOOD else "failed again"
        causes = [case for outcome, case, _ in cases_of(first[name], reports) if outcome == "failed"]
        print(f"retried: {name} {result} in its second run; failed in the first: {', '.join(causes)}")
    if second:
        print(f"{len(second)} of {len(first)} suites retried")


def main(log, reports, second_log="", second_reports=""):
    entries = entries_of(log)
    second = entries_of(second_log) if second_log else {}
    cases = []
    for name, entry in entries.items():
        again = name in second
        cases += cases_of(second[name] if again else entry, pathlib.Path(second_reports if again else reports))
    if not cases:
        print("no test ran: the build failed, or no suite has that name")
        cases = [("failed", "build", "")]
    print_slowest(entries)
    print_retries(entries, pathlib.Path(reports), second)
    for wanted in ("skipped", "failed"):
        for outcome, name, reason in cases:
            if outcome == wanted:
                print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    count = {wanted: sum(outcome == wanted for outcome, _, _ in cases) for wanted in ("passed", "failed", "skipped")}
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    if sys.argv[1] == "--retry":
        print(*to_retry(sys.argv[2]), sep="\n")
    else:
        sys.exit(main(*sys.argv[1:]))
