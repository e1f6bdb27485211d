"""A real Alertmanager shows the alert and its resolution.  Where it is not installed: tools/setup check."""
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

from notifier import NotifyTest, wait_until

ALERTMANAGER = shutil.which("prometheus-alertmanager")
if ALERTMANAGER is None:
    print("skipped: prometheus-alertmanager is not installed (tools/setup check installs it)")
    sys.exit(77)


class RealAlertmanager(NotifyTest):
    def setUp(self):
        super().setUp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = os.path.join(self.folder, "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}, file)
        self.arguments = [ALERTMANAGER, "--config.file", config, "--storage.path", os.path.join(self.folder, "am"),
                          "--web.listen-address", f"127.0.0.1:{self.port}", "--cluster.listen-address="]
        self.process = None
        self.start_alertmanager()
        self.addCleanup(self.stop_alertmanager)

    def start_alertmanager(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_ready, "the Alertmanager is ready")

    def stop_alertmanager(self):
        self.process.kill()
        self.process.wait()

    def is_ready(self):
        try:
            return self.alerts() is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def alerts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=20) as answer:
            return {alert["labels"].get("client"): alert for alert in json.load(answer)}

    def config(self, **settings):
        settings = {"alertmanager": f"http://127.0.0.1:{self.port}", **settings}
        text = super().config(**settings)
        return "\n".join(line for line in text.splitlines() if not line.startswith("url")) + \
            '\nlabels = { team = "pumps" }\n'

    def test_an_alert_fires_and_resolves_and_a_restart_of_either_side_keeps_it(self):
        notifier = self.start()
        hostile = 'pump-"8"\\{}\n'
        self.journal.add("pump-7", hostile, reason="silent")
        wait_until(lambda: set(self.alerts()) == {"pump-7", hostile}, "both alerts")
        alert = self.alerts()["pump-7"]
        self.assertEqual(alert["labels"], {"alertname": "HeartbeatClientLost", "client": "pump-7", "team": "pumps"})
        self.assertEqual(alert["annotations"]["reason"], "silent")
        self.assertEqual(alert["status"]["state"], "active")
        # The notifier is killed, the client comes back, and the next notifier knows of the alert.
        notifier.kill()
        self.journal.add("pump-7", event="return")
        notifier = self.start()
        wait_until(lambda: set(self.alerts()) == {hostile}, "the first alert is resolved")
        # The Alertmanager forgets on a restart, and is sent again what still fires.
        self.stop_alertmanager()
        self.start_alertmanager()
        self.assertEqual(self.alerts(), {})
        self.journal.add("pump-9")
        wait_until(lambda: "pump-9" in self.alerts(), "a new alert")
        notifier.end()
        again = self.start()
        wait_until(lambda: set(self.alerts()) == {"pump-9", hostile}, "what fires is sent again")
        again.end()

    def test_a_hold_fires_no_alert_and_keeps_none_firing(self):
        notifier = self.start()
        self.journal.add("pump-7")
        wait_until(lambda: set(self.alerts()) == {"pump-7"}, "the alert of before the hold")
        self.journal.add("pump-8", on_hold="new pump")
        self.journal.add("pump-7", event="return", on_hold="new pump")
        wait_until(lambda: not self.alerts(), "no alert")
        self.journal.add("pump-8", event="close", reason="silent", by="daemon")
        wait_until(lambda: set(self.alerts()) == {"pump-8"}, "the alert of a client that is gone after its hold")
        notifier.end()

    def test_15_000_alerts_are_all_shown(self):
        notifier = self.start()
        self.journal.add(*(f"pump-{number}" for number in range(15_000)))
        wait_until(lambda: len(self.alerts()) == 15_000, "all alerts")
        notifier.end()


if __name__ == "__main__":
    unittest.main()
