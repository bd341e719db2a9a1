"""The deployment files are accepted by the tools that read them, and what they point to exists."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import tree

try:
    import yaml
except ImportError:
    yaml = None


class Deploy(unittest.TestCase):
    def test_systemd_accepts_the_unit_of_the_node(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        programs = os.environ.get("WEFT_PROGRAM_PATH", tree.ROOT / "build")
        if not (pathlib.Path(programs) / "weft").exists():
            self.skipTest("weft is not built")
        text = tree.text("deploy/systemd/weft-node.service.in").replace("@bin@", str(programs)).replace("@docs@", str(tree.ROOT / "docs"))
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "weft-node.service"
            unit.write_text(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        mistakes = [line for line in done.stderr.splitlines() if "weft-node.service" in line]
        self.assertFalse(mistakes, "\n" + "\n".join(mistakes))

    @unittest.skipIf(yaml is None, "python3-yaml is not installed")
    def test_the_files_that_the_compose_file_mounts_exist(self):
        folder = tree.ROOT / "deploy/container"
        services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
        sources = [volume.split(":")[0] for service in services.values() for volume in service["volumes"]]
        self.assertEqual([], [source for source in sources if source.startswith(".") and not (folder / source).exists()])

    @unittest.skipIf(yaml is None, "python3-yaml is not installed")
    def test_both_files_for_prometheus_differ_in_addresses_only(self):
        def parts(name):
            return yaml.safe_load(re.sub(r"\d+\.\d+\.77\.", "", tree.text(name)))
        self.assertEqual(parts("dashboards/prometheus.yml"), parts("deploy/container/prometheus.yml"))


if __name__ == "__main__":
    unittest.main()
