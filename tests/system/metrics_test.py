"""What every door of a mesh says at /metrics, read strictly: OpenMetrics where it is asked for, else Prometheus text; each name is on the page of metrics."""
import os
import re
import sys
import unittest
import urllib.request

sys.path.insert(0, os.environ["WEFT_SOURCE"])
from tests.support import openmetrics  # noqa: E402
from tests.support.mesh import ROOT, Mesh  # noqa: E402
from tests.support.waiting import eventually  # noqa: E402

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
AGENTS = {"registry", "errorbus", "node", "echo", "sysmon", "digest", "logwatch", "probe"}
TEXT = "text/plain; version=0.0.4; charset=utf-8"


def ask(door, accept=None):
    """(content type, text)."""
    request = urllib.request.Request(f"http://{door}/metrics", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = Mesh({"echo": {}, "sysmon": {}, "digest": {}, "logwatch": {}, "probe": {}})
        cls.mesh.__enter__()
        cls.addClassCleanup(cls.mesh.__exit__)
        cls.mesh.weft("call", "echo.echo", "{}")
        cls.mesh.weft("call", "node.restart", '{"agent": "logwatch"}')  # its version is registered twice, one after the other
        cls.doors = eventually(cls.all_doors, 10, "every agent is registered")

    @classmethod
    def all_doors(cls):
        """{agent: door}; nothing while one is missing."""
        doors = {one["agent"]: one["admin"] for one in cls.mesh.json("list") if one["admin"]}
        return doors if AGENTS <= set(doors) else None

    def test_every_door_speaks_strict_openmetrics(self):
        for agent, door in self.doors.items():
            with self.subTest(agent=agent):
                kind, text = ask(door, "application/openmetrics-text; version=1.0.0")
                self.assertEqual(OPEN, kind)
                families = openmetrics.read(text)
                self.assertEqual("info", families["weft_build"].type)

    def test_without_a_wish_and_for_a_browser_a_door_speaks_text_of_the_same_metrics(self):
        for agent, door in self.doors.items():
            for accept in (None, "text/html,*/*;q=0.8", "application/openmetrics-text;version=0.0.1"):
                with self.subTest(agent=agent, accept=accept):
                    kind, text = ask(door, accept)
                    self.assertEqual(TEXT, kind)
                    self.assertNotIn("# EOF", text)
                    samples = [line for line in text.splitlines() if not line.startswith("#")]
                    self.assertFalse([line for line in samples if not re.fullmatch(r"[a-z_]+(\{.*\})? \S+", line)])

    def test_every_metric_is_on_the_page(self):
        page = set(re.findall(r"^\| `([a-z0-9_]+)` ", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
        for agent, door in self.doors.items():
            _, text = ask(door)
            named = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
            self.assertEqual(set(), named - page, agent)


class Reader(unittest.TestCase):
    """What the strict reader refuses."""

    GOOD = "# TYPE a counter\n# HELP a Of things.\na_total{b=\"c\"} 1\n# TYPE d info\nd_info{v=\"1\"} 1\n"

    def test_good_text_is_read(self):
        self.assertEqual({"a", "d"}, set(openmetrics.read(self.GOOD + "# EOF\n")))

    def test_each_mistake_is_found(self):
        histogram = "# TYPE h histogram\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_count 3\nh_sum 4\n"
        openmetrics.read(histogram + "# EOF\n")
        for wrong in (self.GOOD, "a 1\n# EOF\n", "# TYPE a counter\na 1\n# EOF\n", "# TYPE a counter\na_total -1\n# EOF\n",
                      "# TYPE d info\nd_info 0\n# EOF\n", "# TYPE a gauge\na 1\na 2\n# EOF\n", "# a comment\n# EOF\n",
                      "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n# EOF\n", "# TYPE a gauge\na{b=\"1\",} 1\n# EOF\n", "# TYPE a gauge\na{b='1'} 1\n# EOF\n",
                      "# TYPE a gauge\na x\n# EOF\n", "# TYPE a counter\n# TYPE a counter\na_total 1\n# EOF\n",
                      "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{x=\"1\"} 1\n# EOF\n",
                      histogram.replace("+Inf\"} 3", "+Inf\"} 1") + "# EOF\n", histogram.replace("\"1.0\"", "\"1\"") + "# EOF\n",
                      histogram.replace("h_count 3", "h_count 4") + "# EOF\n", histogram.replace("h_sum 4\n", "") + "# EOF\n",
                      "# TYPE a gauge\na_count 1\n# EOF\n", "# TYPE a histogramm\n# EOF\n", histogram + "# TYPE h_count gauge\nh_count 1\n# EOF\n"):
            with self.subTest(text=wrong):
                self.assertRaises(openmetrics.Wrong, openmetrics.read, wrong)


if __name__ == "__main__":
    unittest.main()
