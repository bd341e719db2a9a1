"""What the runners of this folder share: ratios of rounds, goals, and how both are told. A ratio is taken in each round, from
figures measured one right after the other; what counts is the median of the rounds."""
import argparse
import collections
import json
import statistics
import sys

# Goals are (factor, peer) for a ratio, or (limit, None).
Row = collections.namedtuple("Row", "name unit goals")
MORE_IS_BETTER = ("1/s", "B/s")


class Failure(Exception):
    pass


def exact(value):
    """Short enough to read, exact enough to compare: four significant digits."""
    return float(f"{value:.4g}")


def shown(value):
    return "-" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def more_is_better(row):
    return row.unit in MORE_IS_BETTER


def judge(row, values, factor, peer):
    """One goal: what the ratio is, and whether it is reached; None where nobody can say. `values`: side -> figures by round."""
    if "weft" not in values or (peer is not None and peer not in values):
        return {"goal": factor, "peer": peer, "ratio": None, "reached": None}
    if peer is None:
        return {"goal": factor, "peer": None, "ratio": None, "reached": statistics.median(values["weft"]) <= factor}
    ratios = [ours / theirs for ours, theirs in zip(values["weft"], values[peer])]
    ratio = statistics.median(ratios)
    return {"goal": factor, "peer": peer, "ratio": exact(ratio), "ratio_min": exact(min(ratios)), "ratio_max": exact(max(ratios)),
            "reached": ratio >= factor if more_is_better(row) else ratio <= factor}


def summary(values):
    return {"median": exact(statistics.median(values)), "min": exact(min(values)), "max": exact(max(values))}


def print_json(row, values, goals, runs, **more):
    ours = summary(values["weft"]) if "weft" in values else dict.fromkeys(("median", "min", "max"))
    peers = {side: summary(of) for side, of in values.items() if side != "weft"}
    print(json.dumps({"work": row.name, "unit": row.unit, "weft": ours["median"],
                      "peers": {side: of["median"] for side, of in peers.items()}, "runs": runs, "min": ours["min"], "max": ours["max"],
                      "peers_min": {side: of["min"] for side, of in peers.items()},
                      "peers_max": {side: of["max"] for side, of in peers.items()}, "goals": goals, **more}), flush=True)


class Table:
    """The same for people: a line a goal."""

    def __init__(self, sides, runs, placement):
        self.sides = sides
        self.line = "{:<24} {:>4}" + " {:>9}" * len(sides) + "  {:<26} {:<17} {:<7}  {}"
        print(self.line.format("WORK", "UNIT", *(side.upper() for side in sides), "RATIO (MIN .. MAX)", "GOAL", "REACHED",
                               f"MIN .. MAX OF EACH ({runs} runs, {placement})"), flush=True)

    def add(self, row, values, goals, note=""):
        spreads = "  ".join(f"{side} {shown(min(of))}..{shown(max(of))}" for side, of in values.items()) + note
        cells = [row.name, row.unit, *(shown(statistics.median(values[side]) if side in values else None) for side in self.sides)]
        for goal in goals or [None]:
            print(self.line.format(*cells, *self.told(row, goal), spreads).rstrip(), flush=True)
            cells, spreads = [""] * len(cells), ""

    @staticmethod
    def told(row, goal):
        if goal is None:
            return "-", "-", "-"
        ratio = "-" if goal["ratio"] is None else f"{shown(goal['ratio'])} ({shown(goal['ratio_min'])} .. {shown(goal['ratio_max'])})"
        wanted = f"{'>=' if more_is_better(row) else '<='} {goal['goal']:g}" + (f" x {goal['peer']}" if goal["peer"] else "")
        return ratio, wanted, {None: "-", True: "yes", False: "NO"}[goal["reached"]]


def choose(peers, missing, wanted):
    """The sides to measure: weft, and those of `peers` that are `wanted` or, when none is named, that are not `missing`.

    `missing` maps a side that cannot run here to the reason and what to install. A peer that was asked for by name and is missing is a Failure.
    """
    if wanted and (lost := [f"{side}: {missing[side]}" for side in wanted if side in missing]):
        raise Failure("a peer that was asked for is missing: " + "; ".join(lost))
    for side, reason in missing.items():
        if not wanted or side == "weft":
            print(f"bench: {side} is left out: {reason}", file=sys.stderr)
    return [side for side in ["weft", *(wanted or peers)] if side not in missing]


def main(prog, description, word, known, run, placement, peers, **flags):
    """What every runner does with its command line. `known` are its rows or works, by name; `flags` are its own, with their help."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("names", nargs="*", metavar=word, help=f"all when none is named: {' '.join(one.name for one in known)}")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--free", action="store_true", help=f"not pinned to {placement}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", type=lambda text: text.split(","), metavar="PEER,...",
                        help=f"only these of {' '.join(peers)}; one that is missing is an error (all that are installed when none is named)")
    for flag, text in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=text)
    how = parser.parse_args()
    wrong = [name for name in how.names if name not in [one.name for one in known]]
    if wrong:
        parser.error(f"what is '{wrong[0]}'?")
    if unknown := [name for name in how.peers or [] if name not in peers]:
        parser.error(f"what is '{unknown[0]}'? Peers: {' '.join(peers)}")
    how.runs = max(how.runs, 1)
    try:
        run([one for one in known if not how.names or one.name in how.names], how)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0
