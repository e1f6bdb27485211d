"""Clients that were connected when the daemon last ended: missing until they come back, then absent, once."""
import json
import os
import signal
import tempfile
import unittest
import urllib.request

from harness import DaemonTest, wait_until


class Missing(DaemonTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-missing-")
        self.addCleanup(folder.cleanup)
        self.directory = os.path.join(folder.name, "events")

    def start(self, tick="10s", **arguments):
        return super().start(events_directory=self.directory, http_listen="127.0.0.1:0", tick=tick, **arguments)

    def join(self, daemon, *names):
        clients = {name: self.connect(daemon) for name in names}
        for name, client in clients.items():
            client.sync(id=name)
        return clients

    def journal(self):
        lines = []
        for name in sorted(os.listdir(self.directory)):
            if name.endswith(".jsonl"):
                with open(os.path.join(self.directory, name), encoding="utf-8") as file:
                    lines += [json.loads(line) for line in file if line.endswith("\n")]
        return lines

    def ends_with(self, daemon, names):
        """Waits until the journal has these clients' last event, and kills the daemon."""
        def joined():
            return {line["client"] for line in self.journal() if line.get("event") == "joined"} >= set(names)
        wait_until(joined, "the clients are in the journal")
        daemon.kill()

    def test_after_a_kill_a_client_that_does_not_come_back_is_absent_once(self):
        daemon = self.start()
        clients = self.join(daemon, "gone", "back", "left", "goodbye")
        self.connect(daemon).sync()  # without an id
        clients["left"].sync(id="left", status="leave")
        clients["goodbye"].beat(id="goodbye", status="close")
        daemon.wait("close", client="goodbye")
        wait_until(lambda: {"leave", "close"} <= {line.get("event") for line in self.journal()}, "both are in the journal")
        self.ends_with(daemon, ["gone", "back", "left", "goodbye"])
        daemon = self.start(tick="200ms")  # absent 3 s after the start
        self.assertEqual(daemon.wait("missing")["clients"], "3")
        self.assertEqual(daemon.ask("status")["clients"]["missing"], 3)
        story = daemon.ask("why", client="gone")
        self.assertEqual((story["connected_now"], story["missing"]), (False, True))
        self.assertRegex(story["verdict"], "^missing: it was alive when the daemon ended at .*, and has not come back; "
                                           "it will be absent at .* unless it comes back before$")
        listed = daemon.ask_all("closed", missing=True)
        self.assertEqual(sorted(each["name"] for each in listed[:-1]), ["back", "gone", "left"])
        self.assertEqual({each["type"] for each in listed[:-1]}, {"missing"})
        self.join(daemon, "back", "left")
        self.assertEqual(daemon.wait("leave", client="left")["reason"], "remembered")

        absent = daemon.wait("absent")
        self.assertEqual((absent.level, absent["client"], absent["status"]), ("warning", "gone", "alive"))
        self.assertEqual(daemon.ask("status")["clients"]["missing"], 0)
        self.assertEqual(daemon.ask("status")["totals"]["absences"], 1)
        self.assertRegex(daemon.ask("why", client="gone")["verdict"],
                         "^absent since .*: it was connected when the daemon ended, .* before, and had not come back$")
        self.assertEqual([each["name"] for each in daemon.ask_all("closed", reason="absent")[:-1]], ["gone"])
        with urllib.request.urlopen(daemon.http + "/metrics") as reply:
            metrics = reply.read().decode()
        self.assertIn("heartbeatd_missing_clients 0\n", metrics)
        self.assertIn("heartbeatd_absences_total 1\n", metrics)
        daemon.end()
        events = [line for line in self.journal() if line.get("event") == "absent"]
        self.assertEqual([(event["client"], event["reason"]) for event in events], [("gone", "absent")])

        daemon = self.start(tick="200ms")  # it is not expected once more
        self.assertEqual(sorted(each["name"] for each in daemon.ask_all("closed", missing=True)[:-1]),
                         ["back", "left"])

    def test_after_an_orderly_end_the_clients_are_missing_as_well(self):
        daemon = self.start()
        self.join(daemon, "pump-7")
        daemon.end()
        daemon = self.start()
        with urllib.request.urlopen(daemon.http + "/api/closed?missing=yes") as reply:
            answer = json.load(reply)
        self.assertEqual([(each["name"], each["type"]) for each in answer["closed"]], [("pump-7", "missing")])
        self.assertEqual(answer["missing"], 1)

    def test_over_a_restart_that_keeps_the_clients_nobody_is_missing(self):
        daemon = self.start()
        clients = self.join(daemon, "pump-7")
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait("restarted")
        clients["pump-7"].sync()
        self.assertEqual(daemon.ask("status")["clients"]["missing"], 0)
        self.assertEqual(daemon.lines("missing"), [])

    def test_without_a_journal_nobody_is_expected(self):
        daemon = DaemonTest.start(self)
        self.assertEqual(daemon.ask("status")["clients"]["missing"], 0)
        self.assertEqual(daemon.ask_all("closed", missing=True)[:-1], [])


if __name__ == "__main__":
    unittest.main()
