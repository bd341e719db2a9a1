"""The Prometheus of Debian finds every process of both hosts through the registries, and has the true numbers."""
import json
import re
import shutil
import socket
import subprocess
import unittest
import urllib.parse
import urllib.request

from tests.support.mesh import ROOT, Mesh
from tests.support.waiting import eventually

AGENTS = {"echo": {"on": ["alpha", "beta"]}, "sysmon": {"on": ["alpha"]}, "digest": {"on": ["beta"]}}
CALLS, ERRORS = 37, 23


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class Prometheus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mesh = cls.enterClassContext(Mesh(AGENTS, hosts=("alpha", "beta")))
        configuration = cls.mesh.folder / "prometheus.yml"
        text = (ROOT / "dashboards/prometheus.yml").read_text()
        text = text.replace("10.231.77.2", cls.mesh.addresses["alpha"]).replace("10.231.77.3", cls.mesh.addresses["beta"])
        text = re.sub(r"(interval): 5s", r"\1: 1s", text).replace("alerts.yml", str(ROOT / "dashboards/alerts.yml"))
        configuration.write_text(text)
        cls.url = f"http://127.0.0.1:{free_port()}"
        cls.log = open(cls.mesh.folder / "prometheus.log", "wb")
        cls.addClassCleanup(cls.log.close)
        cls.process = subprocess.Popen(["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={cls.mesh.folder}/prometheus",
                                        f"--web.listen-address={cls.url.removeprefix('http://')}"], stdout=cls.log, stderr=subprocess.STDOUT)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.kill)

    def query(self, expression):
        """{labels: value} of what Prometheus answers; nothing while it starts."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?query={urllib.parse.quote(expression)}", timeout=10) as answer:
                rows = json.load(answer)["data"]["result"]
        except OSError:
            return {}
        return {tuple(sorted((key, value) for key, value in row["metric"].items() if key != "__name__")): float(row["value"][1]) for row in rows}

    def becomes(self, expression, wanted):
        eventually(lambda: self.query(expression) == wanted, 30, f"{expression} is {wanted}, not {self.query(expression)}", pause=0.3)

    def test_every_process_of_both_hosts_is_found_and_answers(self):
        wanted = {(("agent", agent), ("host", host)): 1.0 for host in ("alpha", "beta")
                  for agent in ["registry", "errorbus", "node", *(name for name, how in AGENTS.items() if host in how["on"])]}
        self.becomes("sum by (agent, host) (up)", wanted)

    def test_agents_that_the_registries_know_are_up(self):
        self.becomes('max by (agent, host) (weft_agent_up{agent=~"echo|sysmon|digest"})',
                     {(("agent", name), ("host", host)): 1.0 for name, how in AGENTS.items() for host in how["on"]})

    def test_requests_are_counted_exactly(self):
        for number in range(CALLS):
            self.mesh.weft("call", "echo.echo@beta", str(number))
        self.becomes('sum by (code) (weft_requests_total{agent="echo",host="beta",endpoint="echo"})', {(("code", "ok"),): float(CALLS)})

    def test_errors_are_counted_exactly_and_once_at_the_hub(self):
        self.mesh.weft("call", "echo.report@beta", json.dumps({"count": ERRORS, "code": "PROMETHEUS_TEST"}))
        self.becomes('max by (agent, host) (weft_error_events_total{code="PROMETHEUS_TEST"})', {(("agent", "echo"), ("host", "beta")): float(ERRORS)})
        self.becomes('count(weft_error_events_total{code="PROMETHEUS_TEST"})', {(): 2.0})

    def test_no_rule_of_the_alerts_fails(self):
        def rules():
            with urllib.request.urlopen(self.url + "/api/v1/rules", timeout=10) as answer:
                return [rule for group in json.load(answer)["data"]["groups"] for rule in group["rules"]]
        eventually(lambda: all(rule["health"] == "ok" for rule in rules()), 30, "every rule has been evaluated", pause=0.3)


if __name__ == "__main__":
    unittest.main()
