"""What the runners of this folder share: ratios of rounds, goals, and how both are told. A ratio is taken in each round, from
figures measured one right after the other; what counts is the median of the rounds."""
import collections
import json
import statistics

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
