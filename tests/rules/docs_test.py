"""Links of the documentation resolve, and the commands it shows exist."""
import os
import pathlib
import re
import shlex
import subprocess
import textwrap
import unittest

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
EXAMPLE = re.compile(r"(?:^\[[^\]]*\]\(([^)]+)\)\n\n)?^```cpp\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
TOPS = ("common/", "registry/", "errorbus/", "node/", "agents/", "cli/", "config/", "dashboards/", "deploy/", "tests/", "bench/", "docs/", "examples/",
        "tools/")


def pages():
    return tree.with_suffix(".md")


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def is_part(block, text):
    """Whether `block` is lines of `text`, at their indentation or moved left."""
    return any("\n" + textwrap.indent(block, " " * depth) in text for depth in (0, 2, 4))


def yaml_keys(schema):
    """Each key that a JSON schema in YAML lists below `properties:`, at any depth."""
    keys, open_at = set(), []  # the indentations of the maps of properties around a line
    for line in schema.splitlines():
        indent = len(line) - len(line.lstrip())
        while open_at and indent <= open_at[-1]:
            open_at.pop()
        key = re.match(r" *(\w+):", line)
        if key and key.group(1) == "properties":
            open_at.append(indent)
        elif key and open_at and indent == open_at[-1] + 2:
            keys.add(key.group(1))
    return keys


def commands():
    """(page, words) of each shell line that runs ./dev or weft."""
    for page in pages():
        for language, block in BLOCK.findall(tree.text(page)):
            for line in block.splitlines() if language in ("sh", "bash", "console", "shell") else []:
                line = re.sub(r"^\s*(\$ |# |sudo )*", "", line)
                try:
                    words = shlex.split(line, comments=True)
                except ValueError:
                    continue
                if words and words[0] in ("./dev", "weft", "build/weft", "./build/weft"):
                    yield page, words


class Docs(unittest.TestCase):
    def test_every_link_resolves(self):
        broken = []
        for page in pages():
            for target in LINK.findall(tree.text(page)):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, fragment = target.partition("#")
                path = (tree.ROOT / page).parent / file if file else tree.ROOT / page
                if not path.exists():
                    broken.append(f"{page}: {target}")
                elif fragment and path.suffix == ".md":
                    if fragment not in {anchor(heading) for heading in HEADING.findall(path.read_text())}:
                        broken.append(f"{page}: {target}: no such heading")
        self.assertFalse(broken, "\n" + "\n".join(broken))

    def test_every_page_of_the_documentation_is_reached_from_the_readme(self):
        reached, waiting = set(), ["README.md"]
        while waiting:
            page = waiting.pop()
            if page in reached or not page.endswith(".md") or not (tree.ROOT / page).exists():
                continue
            reached.add(page)
            targets = (target.partition("#")[0] for target in LINK.findall(tree.text(page)))
            waiting += [os.path.normpath(os.path.join(os.path.dirname(page), target)) for target in targets if target and ":" not in target]
        self.assertEqual([], sorted(page for page in pages() if page.startswith("docs/") and page not in reached))

    def test_the_readme_links_every_page_of_the_docs_folder(self):
        linked = {target.partition("#")[0] for target in LINK.findall(tree.text("README.md"))}
        self.assertEqual([], [page for page in pages() if os.path.dirname(page) == "docs" and page not in linked])

    def test_every_key_of_the_fleet_file_is_on_its_page(self):
        schema = yaml_keys(tree.text("config/schema/fleet.yaml"))
        shown = set(re.findall(r"^\| `(\w+)` \|", tree.text("docs/fleet-file.md"), re.MULTILINE))
        self.assertEqual(schema, shown)
        self.assertIn("start_timeout", schema)

    def test_every_file_named_in_the_documentation_exists(self):
        missing = []
        for page in pages():
            for word in INLINE.findall(tree.text(page)):
                if word.startswith(TOPS) and re.fullmatch(r"[\w./-]+", word):
                    if not (tree.ROOT / word).exists():
                        missing.append(f"{page}: {word}")
        self.assertFalse(missing, "\n" + "\n".join(missing))

    def test_code_about_actors_and_queues_is_cut_out_of_compiled_files(self):
        shown = EXAMPLE.findall(tree.text("docs/actors.md")) + EXAMPLE.findall(tree.text("docs/queues.md"))
        wrong = [f"{file or 'no file is named above'}:\n{block}" for file, block in shown
                 if not file or not is_part(block, tree.text(os.path.normpath("docs/" + file)))]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))
        self.assertGreater(len(shown), 5)

    def test_every_test_that_the_guarantees_name_exists(self):
        named = re.findall(r'`((?:tests|examples)/[^`]+)`: "([^"]+)"', tree.text("docs/guarantees.md"))
        missing = [f"{name}: {title}" for name, title in named
                   if not (tree.ROOT / name).exists() or title not in re.sub(r'"\s*"|"""', "", tree.text(name))]
        self.assertFalse(missing, "\n" + "\n".join(missing))
        self.assertGreater(len(named), 10)

    def test_every_dev_verb_shown_exists(self):
        known = set(re.findall(r"^verb_(\w+)\(\)", tree.text("dev") + tree.text("tools/dev/test.sh"), re.MULTILINE))
        wrong = [f"{page}: {' '.join(words)}" for page, words in commands() if words[0] == "./dev" and len(words) > 1 and words[1] not in known]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))
        self.assertIn("up", known)

    def test_every_weft_command_shown_exists(self):
        weft = pathlib.Path(os.environ.get("WEFT_PROGRAM_PATH", tree.ROOT / "build")) / "weft"
        if not weft.exists():
            self.skipTest(f"{weft} is not built")
        wrong, tried = [], {}
        for page, words in commands():
            if words[0].endswith("weft") and len(words) > 1:
                verbs = tuple(word for word in words[1:3] if re.fullmatch(r"[a-z]+", word))
                verbs = verbs[:2] if verbs[:1] in (("errors",), ("config",)) else verbs[:1]
                if verbs not in tried:
                    tried[verbs] = subprocess.run([weft, *verbs, "--help"], capture_output=True, timeout=20).returncode
                if tried[verbs] != 0:
                    wrong.append(f"{page}: {' '.join(words)}")
        self.assertFalse(wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
