"""A real Prometheus that scrapes a daemon, for a test; its data lies in a directory of its own."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
import urllib.request

from harness import BOUND_S, wait_until

PROMETHEUS = shutil.which("prometheus")
NOT_THERE = "no Prometheus is installed (tools/setup check does it)"


class Prometheus:
    """Scrapes one address; evaluates the rules of a file, if there is one, at the same pace."""

    def __init__(self, target, interval="500ms", rules=None):
        self._directory = tempfile.mkdtemp(prefix="heartbeat-")
        config = os.path.join(self._directory, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}\n")
            if rules is not None:
                file.write(f"rule_files: ['{rules}']\n")
            file.write(f"scrape_configs:\n- job_name: heartbeatd\n  static_configs: [{{targets: ['{target}']}}]\n")
        with open(os.path.join(self._directory, "log"), "w", encoding="utf-8") as log:
            self._server = subprocess.Popen(
                [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={self._directory}/data",
                 "--web.listen-address=127.0.0.1:0", "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        seen = []  # asked once more, the kernel's table may just miss it
        wait_until(lambda: seen.append(_listening_port(self._server.pid)) or seen[-1], "Prometheus listening")
        self._url = f"http://127.0.0.1:{seen[-1]}/api/v1/"
        wait_until(lambda: self.value("up") == 1, "a scrape")

    def ask(self, path, **query):
        """The data of an answer; None while the server is not ready."""
        try:
            with urllib.request.urlopen(self._url + path + "?" + urllib.parse.urlencode(query), timeout=BOUND_S) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, query):
        """Of the first series; None where there is none."""
        data = self.ask("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def alerts(self, name):
        """The alerts of that name that are pending or firing."""
        return [alert for alert in (self.ask("alerts") or {}).get("alerts", []) if alert["labels"]["alertname"] == name]

    def end(self):
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _listening_port(pid):
    """Of a process that listens on one TCP port of 127.0.0.1; None while it does not."""
    try:
        own = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
    except OSError:
        return None
    for row in rows:
        if row[3] == "0A" and f"socket:[{row[9]}]" in own:
            return int(row[1].partition(":")[2], 16)
    return None
