"""A strict reader of OpenMetrics 1.0.0 text (github.com/prometheus/OpenMetrics): what it accepts, every scraper does."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf"({NAME})(\{{[^ ]?.*?\}})? (\S+)( \S+)?$")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$|[+-]?Inf$|NaN$")
SUFFIXES = {"counter": ("_total", "_created"), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum", "_created")}
EXEMPLAR_CHARACTERS_MAX = 128


class Wrong(AssertionError):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def number(text):
    need(NUMBER.match(text), f"no number: {text}")
    return float(text)


def labels_of(text):
    """{name: value} of `{a="b",c="d"}`."""
    if not text:
        return {}
    inner, found, at = text[1:-1], {}, 0
    while at < len(inner):
        match = LABEL.match(inner, at)
        need(match, f"labels: {text}")
        need(match[1] not in found, f"a label twice: {text}")
        need(not match[1].startswith("__"), f"a reserved label: {text}")
        found[match[1]] = match[2]
        at = match.end()
        if at < len(inner):
            need(inner[at] == "," and at + 1 < len(inner), f"labels: {text}")
            at += 1
    return found


class Family:
    def __init__(self, name):
        self.name, self.type, self.help, self.samples = name, None, None, []

    def finish(self):
        need(self.type, f"{self.name} has no TYPE")
        need(self.samples is not None, self.name)
        seen = set()
        for name, labels, value in self.samples:
            key = (name, tuple(sorted(labels.items())))
            need(key not in seen, f"a series twice: {key}")
            seen.add(key)
            if self.type in ("counter", "histogram") and not name.endswith("_sum"):
                need(value >= 0 and not math.isnan(value), f"{name} is negative or not a number")
            if self.type == "info":
                need(value == 1, f"{name}{labels} is {value}: the value of an info is 1")
        if self.type == "histogram":
            self.check_histograms()

    def check_histograms(self):
        series = {}
        for name, labels, value in self.samples:
            own = tuple(sorted((key, one) for key, one in labels.items() if key != "le"))
            series.setdefault(own, {}).setdefault(name[len(self.name):], []).append((labels.get("le"), value))
        for own, parts in series.items():
            where = f"{self.name}{dict(own)}"
            need(set(parts) >= {"_bucket", "_count", "_sum"}, f"{where} lacks a part")
            bounds = [le for le, _ in parts["_bucket"]]
            need(all(le and (le == "+Inf" or "." in le or "e" in le) for le in bounds), f"{where}: bounds are not canonical: {bounds}")
            values = [float(le) for le in bounds]
            need(values == sorted(set(values)) and values[-1] == math.inf, f"{where}: bounds do not grow up to +Inf")
            counts = [count for _, count in parts["_bucket"]]
            need(counts == sorted(counts), f"{where}: buckets are not cumulative")
            need(counts[-1] == parts["_count"][0][1], f"{where}: +Inf is not the count")


def check_exemplar(name, text):
    need(name.endswith(("_bucket", "_total")), f"an exemplar at {name}")
    match = re.match(r"(\{.*?\}) (\S+)( \S+)?$", text)
    need(match, f"exemplar: {text}")
    labels = labels_of(match[1])
    need(sum(len(key) + len(value) for key, value in labels.items()) <= EXEMPLAR_CHARACTERS_MAX, f"an exemplar that is too long: {text}")
    number(match[2])
    if match[3]:
        number(match[3][1:])


def read(text):
    """{name of family: Family}; raises Wrong with the first mistake."""
    need(text.endswith("# EOF\n"), "the text does not end in '# EOF' and a newline")
    families, current = {}, None
    for line in text[:-len("# EOF\n")].splitlines():
        if line.startswith("#"):
            match = re.match(rf"# (TYPE|HELP|UNIT) ({NAME}) (.*)$", line)
            need(match, f"no metadata, and comments are not allowed: {line}")
            keyword, name, rest = match.groups()
            if current is None or current.name != name:
                need(name not in families, f"{name} is not in one piece")
                current = families[name] = Family(name)
            need(not current.samples, f"metadata after samples: {line}")
            if keyword == "TYPE":
                need(current.type is None and rest in SUFFIXES, f"{line}")
                current.type = rest
            elif keyword == "HELP":
                need(current.help is None and not re.search(r'\\(?![\\"n])', rest), f"{line}")
                current.help = rest
            else:
                need(name.endswith("_" + rest), f"the unit is no part of the name: {line}")
            continue
        body, _, exemplar = line.partition(" # ")
        match = SAMPLE.match(body)
        need(match, f"no sample: {line!r}")
        name, labels, value = match[1], labels_of(match[2]), number(match[3])
        need(current is not None and current.type, f"a sample without TYPE before it: {line}")
        need(any(name == current.name + suffix for suffix in SUFFIXES[current.type]), f"{name} in the {current.type} {current.name}")
        if exemplar:
            check_exemplar(name, exemplar)
        current.samples.append((name, labels, value))
    for family in families.values():
        family.finish()
    owners = {}
    for family in families.values():
        for suffix in ("",) + SUFFIXES[family.type]:
            other = owners.setdefault(family.name + suffix, family.name)
            need(other == family.name, f"{family.name} clashes with {other}")
    return families
