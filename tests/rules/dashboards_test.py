"""Dashboards, alerts and rules name metrics that the sources really have, and Prometheus accepts them."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree

METRIC = re.compile(r"(?<![\w:])((?:weft|process)_[a-z0-9_]+)(?![\w:])")


def expressions():
    """(file, expression) of every panel, variable and rule."""
    for name in tree.with_suffix(".json", under="dashboards/"):
        waiting = [json.loads(tree.text(name))]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                for key, value in one.items():
                    if key in ("expr", "definition", "query") and isinstance(value, str):
                        yield name, value
                    else:
                        waiting.append(value)
            elif isinstance(one, list):
                waiting += one
    for name in tree.with_suffix(".yml", ".yaml", under="dashboards/"):
        for line in tree.text(name).splitlines():
            if not line.lstrip().startswith("#"):
                yield name, line


def real_metrics():
    sources = [name for name in tree.with_suffix(".cpp", ".hpp") if not tree.is_test(name)]
    return {word for name in sources for word in re.findall(r'"((?:weft|process)_[a-z0-9_]+)"', tree.text(name))}


def page_of_metrics():
    """{metric: (type, text)} of docs/metrics.md."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \| (.+) \|$", tree.text("docs/metrics.md"), re.MULTILINE)
    return {name: (kind, text) for name, kind, text in rows}


class Dashboards(unittest.TestCase):
    def test_a_metric_is_named_in_one_file_of_the_sources(self):
        found = {}
        for name in tree.with_suffix(".cpp", ".hpp"):
            if not tree.is_test(name):
                for word in re.findall(r'"((?:weft|process)_[a-z0-9_]+)"', tree.text(name)):
                    found.setdefault(word, set()).add(name)
        self.assertEqual({}, {word: sorted(files) for word, files in found.items() if len(files) > 1})

    def test_the_page_of_metrics_has_those_of_the_sources_and_no_others(self):
        page = page_of_metrics()
        self.assertEqual(sorted(real_metrics()), sorted(page))
        self.assertFalse([name for name, (kind, _) in page.items() if name.endswith("_total") != (kind == "counter")])
    def test_every_metric_named_exists_in_the_sources(self):
        real, wrong = real_metrics(), set()
        for name, expression in expressions():
            for metric in METRIC.findall(expression):
                if metric not in real and re.sub(r"_(bucket|sum|count)$", "", metric) not in real:
                    wrong.add(f"{name}: {metric}")
        self.assertFalse(wrong, "\n" + "\n".join(sorted(wrong)))

    def test_prometheus_accepts_configuration_rules_and_their_tests(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool (package prometheus) is not installed")
        folder = tree.ROOT / "dashboards"
        for command in (["check", "config", "--syntax-only", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
            with self.subTest(command=" ".join(command)):
                done = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "promtool (package prometheus) is not installed")
    def test_prometheus_can_read_every_query_of_a_dashboard(self):
        queries = sorted({query for name, query in expressions() if name.endswith(".json") and not query.startswith(("label_values", "prometheus"))})
        rules = [{"record": f"q:{i}", "expr": re.sub(r"\$__rate_interval", "1m", query)} for i, query in enumerate(queries)]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)  # JSON is YAML
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertGreater(len(queries), 10)

    def test_the_dashboards_are_what_their_tables_say(self):
        done = subprocess.run([sys.executable, "-B", tree.ROOT / "dashboards/generate.py", "--check"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
