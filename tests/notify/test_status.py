"""How the hooks are doing: the file, heartbeatctl hooks, and the metrics."""
import json
import os
import re
import subprocess
import time
import unittest

from notifier import NotifyTest, wait_until

HEARTBEATCTL = os.environ["HEARTBEATCTL"]


class Status(NotifyTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.folder, "status.json")
        self.metrics = os.path.join(self.folder, "hooks.prom")

    def config(self, **settings):
        return f'metrics = "{self.metrics}"\n' + super().config(**settings)

    def hook(self):
        """What the file says of the only hook; nothing before it is written."""
        if not os.path.exists(self.file):
            return {}
        with open(self.file, encoding="utf-8") as file:
            return json.load(file)["hooks"][0]

    def ask(self, *arguments):
        return subprocess.run([HEARTBEATCTL, "hooks", "--file", self.file, *arguments], capture_output=True, text=True,
                              check=False)

    def metric(self, name):
        with open(self.metrics, encoding="utf-8") as file:
            return float(re.search(rf'^heartbeat_notify_hook_{name}{{hook="ops"}} (\S+)$', file.read(), re.MULTILINE)[1])

    def test_a_hook_that_delivers_fails_recovers_and_is_switched_off(self):
        notifier = self.start("--status", self.file)
        self.journal.add("pump-1", "pump-2")
        well = wait_until(lambda: self.hook().get("delivered") == 1 and self.hook()["lag_events"] == 0 and self.hook(),
                          "a delivery")
        self.assertEqual({name: well[name] for name in ("name", "kind", "state", "last_answer", "failures", "lost", "lag_ms")},
                         {"name": "ops", "kind": "webhook", "state": "well", "last_answer": "200", "failures": 0, "lost": 0,
                          "lag_ms": 0})
        shown = self.ask()
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"HOOK +KIND +STATE +LAG +OLDEST +FAILURES +LOST +LAST ANSWER")
        self.assertEqual((self.metric("up"), self.metric("deliveries_total"), self.metric("lag_events")), (1, 1, 0))

        self.receiver.answer = 503
        self.journal.add("pump-3", "pump-4", "pump-5")
        failing = wait_until(lambda: self.hook()["state"] == "failing" and self.hook()["lag_ms"] > 1000 and self.hook(), "a lag")
        self.assertEqual((failing["lag_events"], failing["last_answer"]), (3, "503"))
        self.assertGreaterEqual(failing["failures"], 1)
        shown = self.ask()
        self.assertEqual((shown.returncode, shown.stderr), (1, "heartbeatctl: not every hook delivers\n"))
        self.assertRegex(shown.stdout, r"ops .*failing")
        wait_until(lambda: self.metric("up") == 0 and self.metric("lag_events") == 3 and self.metric("lag_seconds") > 1 and
                   self.metric("failures_total") >= 1, "the metrics of a hook that fails")

        self.receiver.answer = 410
        wait_until(lambda: self.hook()["state"] == "off", "the hook is off")
        self.assertEqual(self.ask().returncode, 1)
        notifier.end()

    def test_events_that_a_hook_does_not_want_are_no_lag(self):
        notifier = self.start("--status", self.file, match="pump-*")
        wait_until(self.hook, "the file")
        self.journal.add(*(f"fan-{number}" for number in range(100)))
        self.journal.add("pump-1")
        wait_until(lambda: self.receiver.numbers() == [101], "the event that it wants")
        self.journal.add("fan-1")
        wait_until(lambda: self.hook()["delivered"] == 1 and self.hook()["lag_events"] == 0, "no lag")
        self.receiver.answer = 500
        self.journal.add("pump-2")
        wait_until(lambda: self.hook()["lag_events"] == 1, "its lag")
        notifier.end()

    def test_what_is_given_up_is_counted(self):
        self.receiver.answer = 500
        notifier = self.start("--status", self.file, give_up="1s")
        self.journal.add("pump-1", "pump-2", "pump-3")
        wait_until(lambda: self.hook().get("lost") == 3, "three lost events")
        wait_until(lambda: self.metric("lost_events_total") == 3, "the metric")
        notifier.end()

    def test_what_a_command_prints_is_not_in_the_file(self):
        path = os.path.join(self.folder, "hook.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho secret\nexit 7\n")
        os.chmod(path, 0o700)
        original = self.config
        self.config = lambda **settings: re.sub(r"(?m)^url .*\n", "", original(**settings))
        notifier = self.start("--status", self.file, command=[path])
        self.journal.add("pump-1")
        wait_until(lambda: self.hook().get("last_answer") == "exit code 7", "the answer")
        with open(self.file, encoding="utf-8") as file:
            self.assertNotIn("secret", file.read())
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o644)
        notifier.end()

    def test_a_notifier_that_is_gone_is_seen(self):
        missing = self.ask()
        self.assertEqual((missing.returncode, missing.stderr),
                         (1, f"heartbeatctl: no heartbeat-notify runs here: there is no {self.file}\n"))
        notifier = self.start("--status", self.file)
        wait_until(self.hook, "the file")
        notifier.end()
        self.assertEqual(self.ask().returncode, 0)
        with open(self.file, encoding="utf-8") as file:
            status = json.load(file)
        for age, code in ((25, 0), (31, 1)):
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - age))
            with open(self.file, "w", encoding="utf-8") as file:
                json.dump({**status, "at": at}, file)
            self.assertEqual(self.ask("--json").returncode, code, age)
        self.assertIn("is it running?", self.ask().stderr)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("{}")
        self.assertEqual(self.ask().returncode, 76)

    def test_a_file_that_cannot_be_written_is_reported_once_and_delays_nothing(self):
        notifier = self.start("--status", "/nonexistent/status.json")
        notifier.wait_log("cannot write /nonexistent/status.json")
        self.journal.add("pump-1")
        wait_until(lambda: self.receiver.numbers() == [1], "the event")
        self.journal.add("pump-2")
        wait_until(lambda: self.receiver.numbers() == [1, 2], "the next event")
        time.sleep(2.5)
        notifier.end()
        self.assertEqual(notifier.log().count("cannot write /nonexistent"), 1)


if __name__ == "__main__":
    unittest.main()
