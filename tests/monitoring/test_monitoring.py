"""The alerts and the dashboard are well-formed, and speak of metrics that the daemon really has.

    test_monitoring.py ROOT     with HEARTBEATD naming the daemon
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(sys.argv.pop(1))
if shutil.which("promtool") is None:
    print("skipped: there is no promtool here (Debian package prometheus)")
    sys.exit(77)

from harness import DaemonTest, wait_until  # noqa: E402
from prometheus import NOT_THERE, PROMETHEUS, Prometheus  # noqa: E402

ALERTS = ROOT / "docs/prometheus-alerts.yml"
DASHBOARD = ROOT / "docs/grafana-dashboard.json"
OPERATING = ROOT / "docs/operating.md"

# What Grafana puts in before it asks.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m", "$job": "heartbeatd", "$instance": ".*"}
SELECTOR = re.compile(r"\b((?:heartbeatd|process)_[a-z_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
# Queries that have a result only once something bad has happened.
OFTEN_EMPTY = {"Bad input"}
# What an operator must see on the dashboard, whatever else changes there.
ON_THE_DASHBOARD = {"heartbeatd_brake_holding", "heartbeatd_accept_pause_seconds_total", "heartbeatd_limited_total",
                    "heartbeatd_strikes_total", "heartbeatd_rule_tick_seconds", "heartbeatd_rule_cursor_strikes",
                    "heartbeatd_last_reload_refused"}
# A daemon has these only where it has TLS: tests/process/test_tls.py looks for them.
WITH_TLS = {"heartbeatd_certificate_expires_timestamp_seconds"}
# The labels that Prometheus itself adds.
FROM_PROMETHEUS = {"job", "instance"}


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def alert_rules():
    """(name, expression) of each; the file is plain enough to be read without a YAML library."""
    found = re.findall(r"- alert: (\w+)\n\s+expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*)\n)", ALERTS.read_text("utf-8"))
    return [(name, block or line) for name, block, line in found]


def recorded_rules():
    return re.findall(r"- record: ([\w:]+)\n\s+expr: \|\n((?:\s{10,}.*\n)+)", ALERTS.read_text("utf-8"))


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
        self.assertTrue(recorded_rules())

    def test_each_expression_of_the_dashboard_is_one(self):
        rules = [f"  - record: dashboard:{number}\n    expr: |\n      {expression}\n"
                 for number, (_, expression) in enumerate(dashboard_expressions())]
        self.assertGreater(len(rules), 15)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("groups:\n- name: dashboard\n  rules:\n" + "".join(rules))
            file.flush()
            done = promtool("check", "rules", file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_dashboard_shows_what_an_operator_needs(self):
        asked = {name for _, expression in dashboard_expressions() for name, _ in SELECTOR.findall(expression)}
        self.assertEqual(ON_THE_DASHBOARD - asked, set())

    def test_units_are_those_of_the_queries(self):
        """What is per minute, in seconds, in bytes or a share says so; a heat map's cells are counts."""
        for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
            if panel["type"] == "row":
                continue
            unit = panel["fieldConfig"]["defaults"]["unit"]
            expression = panel["targets"][0]["expr"]
            with self.subTest(panel["title"]):
                if panel["type"] == "heatmap":
                    self.assertEqual(unit, "short")
                    wanted = "s" if "_seconds_bucket" in expression else "percentunit"
                    self.assertEqual(panel["options"]["yAxis"]["unit"], wanted)
                elif re.match(r"-?60 \* ", expression):
                    self.assertEqual(unit, "suffix: /min")
                elif re.search(r"^(histogram_quantile|sum( by \(instance\))? ?\(increase\(heartbeatd_stall_sec)|time\(\)", expression):
                    self.assertEqual(unit, "s")
                elif "_bytes" in expression:
                    self.assertEqual(unit, "bytes")
                elif " / " in expression or "cpu_seconds" in expression or "pause_seconds" in expression:
                    self.assertEqual(unit, "percentunit")
                else:
                    self.assertIn(unit, ("short", "none", "suffix: beats/s"))

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
        for source, expression in [*alert_rules(), *recorded_rules(), *dashboard_expressions()]:
            for name, labels in SELECTOR.findall(expression):
                asked += 1
                if name in WITH_TLS:
                    continue
                self.assertIn(name, series, f"{source} asks for a metric that there is not")
                wanted = {key: value for key, value in LABEL.findall(labels or "") if key not in FROM_PROMETHEUS}
                self.assertTrue(any(wanted.items() <= have.items() for have in series[name]),
                                f"{source} asks for {name}{wanted}, and there are {series[name]}")
            for grouped in re.findall(r"by \(([^)]*)\)", expression):
                known = {key for all_of in series.values() for have in all_of for key in have} | FROM_PROMETHEUS
                self.assertLessEqual({label.strip() for label in grouped.split(",")}, known, source)
        self.assertGreater(asked, 40)


@unittest.skipIf(PROMETHEUS is None, NOT_THERE)
class RealPrometheus(DaemonTest):
    # As far as one zooms, from less than a scrape to an hour a point.
    ZOOMS_S = [0.25, 1, 15, 60, 3600]

    def start_with_metrics(self, http="127.0.0.1:0"):
        daemon = self.start(http_listen=http)
        url = next(line.text for line in daemon.lines() if line.text.startswith("status page on ")).split()[-1]
        return daemon, url.removeprefix("http://").rstrip("/")

    def starts_annotated(self, server, zoom):
        """The instants at which the dashboard marks a restart when it is zoomed so far."""
        annotation = json.loads(DASHBOARD.read_text("utf-8"))["annotations"]["list"][0]
        self.assertTrue(annotation["useValueForTime"])
        expression = filled_in(annotation["expr"].replace("$__interval", f"{int(zoom * 1000)}ms"))
        end = time.time()
        found = server.ask("query_range", query=expression, start=end - min(4000 * zoom, 24 * 3600), end=end, step=zoom)
        return {float(value) / 1000 for series in found["result"] for _, value in series["values"]}

    def test_a_fleet_that_is_gone_and_a_restart_are_seen(self):
        daemon, address = self.start_with_metrics()
        clients = [self.connect(daemon) for _ in range(5)]
        for number, client in enumerate(clients):
            client.sync(id=f"pump-{number}")
        server = Prometheus(address, rules=ALERTS)
        self.addCleanup(server.end)
        wait_until(lambda: server.value("heartbeatd:alive_recently:max") == 5, "the fleet in the database")
        wait_until(lambda: server.value("count_over_time(heartbeatd_joins_total[1m])") >= 3, "enough for rates")
        self.assertEqual(server.alerts("HeartbeatdFleetShrunk"), [])
        first_start = server.value("process_start_time_seconds")

        with self.subTest("each query of the dashboard has a result"):
            empty = {title for title, expression in dashboard_expressions()
                     if not (server.ask("query", query=expression) or {"result": []})["result"]}
            self.assertLessEqual(empty, OFTEN_EMPTY)
        share = next(expression for title, expression in dashboard_expressions() if title == "Of the recent fleet")
        self.assertEqual(server.value(share), 1)

        for client in clients:
            client.close()
        wait_until(lambda: server.alerts("HeartbeatdFleetShrunk"), "the alert, pending for its minute")
        self.assertIn("About", server.alerts("HeartbeatdFleetShrunk")[0]["annotations"]["description"])
        self.assertEqual(server.value(share), 0)

        # The daemon comes back, and no client does.
        daemon.end()
        wait_until(lambda: server.value("up") == 0, "the daemon is missed")
        self.assertEqual(server.value(share), 0)
        daemon, _ = self.start_with_metrics(address)
        wait_until(lambda: (server.value("process_start_time_seconds") or first_start) > first_start, "the second run")
        second_start = server.value("process_start_time_seconds")
        wait_until(lambda: any("was restarted" in alert["annotations"]["description"]
                               for alert in server.alerts("HeartbeatdFleetShrunk")), "the alert again, with the restart")
        for zoom in self.ZOOMS_S:
            with self.subTest(zoom=zoom):
                self.assertIn(second_start, self.starts_annotated(server, zoom))
        self.assertEqual(self.starts_annotated(server, 1), {first_start, second_start})


if __name__ == "__main__":
    unittest.main(verbosity=2)
