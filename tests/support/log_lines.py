"""Checks lines of logs against config/schema/log-line.schema.json: as much of JSON Schema as that file uses, and no keyword unknown."""
import functools
import json
import os
import pathlib
import re

SCHEMA = pathlib.Path(os.environ.get("WEFT_SOURCE", ".")) / "config/schema/log-line.schema.json"
KEYWORDS = {"$schema", "title", "description", "type", "required", "properties", "pattern", "enum", "minLength", "minimum", "dependencies"}
TYPES = {"object": dict, "string": str, "integer": int}


@functools.cache
def schema():
    return json.loads(SCHEMA.read_text())


def problems(value, rule, path="line"):
    """What of `value` is not as `rule` wants it."""
    assert not set(rule) - KEYWORDS, f"unknown keywords in the schema: {set(rule) - KEYWORDS}"
    wanted = TYPES[rule["type"]]
    if not isinstance(value, wanted) or isinstance(value, bool):
        return [f"{path} is no {rule['type']}: {value!r}"]
    found = [f"{path} has no '{name}'" for name in rule.get("required", []) if name not in value]
    if "enum" in rule and value not in rule["enum"]:
        found.append(f"{path} is none of {rule['enum']}: {value!r}")
    if "pattern" in rule and not re.search(rule["pattern"], value):
        found.append(f"{path} does not match {rule['pattern']}: {value!r}")
    if "minLength" in rule and len(value) < rule["minLength"]:
        found.append(f"{path} is too short: {value!r}")
    if "minimum" in rule and value < rule["minimum"]:
        found.append(f"{path} is too small: {value!r}")
    for name, more in rule.get("dependencies", {}).items():
        found += [f"{path} has '{name}', but no '{other}'" for other in more if name in value and other not in value]
    for name, part in rule.get("properties", {}).items():
        if name in value:
            found += problems(value[name], part, f"{path}.{name}")
    return found


def mistakes(text):
    """Of every whole line that begins as an object does; other lines are not from Weft's log (a stack, a traceback)."""
    found = []
    for line in text.split("\n")[:-1]:
        if not line.startswith("{"):
            continue
        try:
            value = json.loads(line, object_pairs_hook=without_doubles)
        except ValueError as error:
            found.append(f"{error}: {line[:300]}")
            continue
        found += [f"{problem}: {line[:300]}" for problem in problems(value, schema())]
    return found


def without_doubles(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a name is there twice: {sorted(names)}")
    return dict(pairs)


def check_files(paths):
    """Fails with every line that is not as the schema says."""
    found = [f"{path.name}: {mistake}" for path in paths if path.is_file() for mistake in mistakes(path.read_text(errors="replace"))]
    assert not found, "lines of logs that config/schema/log-line.schema.json refuses:\n" + "\n".join(found[:20])
