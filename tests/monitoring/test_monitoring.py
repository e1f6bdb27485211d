"""The alerts and the dashboard are well-formed, and speak of metrics that the daemon really has.

    test_monitoring.py ROOT     with HEARTBEATD naming the daemon
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(sys.argv.pop(1))
if shutil.which("promtool") is None:
    print("skipped: there is no promtool here (Debian package prometheus)")
    sys.exit(77)

from harness import DaemonTest  # noqa: E402

ALERTS = ROOT / "docs/prometheus-alerts.yml"
DASHBOARD = ROOT / "docs/grafana-dashboard.json"
OPERATING = ROOT / "docs/operating.md"

# What Grafana puts in before it asks.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m", "$job": "heartbeatd", "$instance": ".*"}
SELECTOR = re.compile(r"\b((?:heartbeatd|process)_[a-z_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
# The labels that Prometheus itself adds.
FROM_PROMETHEUS = {"job", "instance"}


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def alert_rules():
    """(name, expression) of each; the file is plain enough to be read without a YAML library."""
    found = re.findall(r"- alert: (\w+)\n\s+expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*)\n)", ALERTS.read_text("utf-8"))
    return [(name, block or line) for name, block, line in found]


def dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled_in(target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], filled_in(annotation["expr"])


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


class Files(unittest.TestCase):
    def test_promtool_finds_nothing_wrong_with_the_alerts(self):
        done = promtool("check", "rules", ALERTS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_fires_when_it_should_and_only_then(self):
        done = promtool("test", "rules", ROOT / "tests/monitoring/alerts_test.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_is_tested_to_fire(self):
        tests = (ROOT / "tests/monitoring/alerts_test.yml").read_text("utf-8")
        firing = set(re.findall(r'alertname="(\w+)"', tests)) | set(
            re.findall(r"alertname: (\w+)\n\s+exp_alerts", tests))
        self.assertEqual({name for name, _ in alert_rules()} - firing, set())

    def test_each_expression_of_the_dashboard_is_one(self):
        rules = [f"  - record: dashboard:{number}\n    expr: |\n      {expression}\n"
                 for number, (_, expression) in enumerate(dashboard_expressions())]
        self.assertGreater(len(rules), 15)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("groups:\n- name: dashboard\n  rules:\n" + "".join(rules))
            file.flush()
            done = promtool("check", "rules", file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_panels_of_the_dashboard_do_not_overlap(self):
        taken = {}
        for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                self.assertLess(x, 24, panel["title"])
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} lies on {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_each_alert_is_explained_and_nothing_else_is(self):
        explained = set(re.findall(r"^\| `(Heartbeatd\w+)`", OPERATING.read_text("utf-8"), re.M))
        self.assertEqual(explained, {name for name, _ in alert_rules()})


class RealMetrics(DaemonTest):
    def test_every_metric_and_label_that_is_asked_for_is_there(self):
        daemon = self.start(http_listen="127.0.0.1:0")
        client = self.connect(daemon)
        client.sync(id="pump-7")
        client.sync()
        url = next(line.text for line in daemon.lines() if line.text.startswith("status page on ")).split()[-1]
        with urllib.request.urlopen(url + "metrics", timeout=30) as answer:
            text = answer.read().decode()
        series = {}
        for line in text.splitlines():
            if not line.startswith("#") and line:
                name = re.match(r"[a-z_]+", line)[0]
                series.setdefault(name, []).append(dict(LABEL.findall(line)))

        asked = 0
        for source, expression in [*alert_rules(), *dashboard_expressions()]:
            for name, labels in SELECTOR.findall(expression):
                asked += 1
                self.assertIn(name, series, f"{source} asks for a metric that there is not")
                wanted = {key: value for key, value in LABEL.findall(labels or "") if key not in FROM_PROMETHEUS}
                self.assertTrue(any(wanted.items() <= have.items() for have in series[name]),
                                f"{source} asks for {name}{wanted}, and there are {series[name]}")
            for grouped in re.findall(r"by \(([^)]*)\)", expression):
                known = {key for all_of in series.values() for have in all_of for key in have} | FROM_PROMETHEUS
                self.assertLessEqual({label.strip() for label in grouped.split(",")}, known, source)
        self.assertGreater(asked, 40)


if __name__ == "__main__":
    unittest.main(verbosity=2)
