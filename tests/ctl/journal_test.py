#!/usr/bin/env python3
"""What is read from the files of the event journal: a client's history and availability, with no daemon at all."""

import csv
import io
import json
import os
import tempfile
import time
import unittest

from program import run

NOW_MS = int(time.time() * 1000)


def instant(millis):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis / 1000)) + f".{millis % 1000:03d}Z"


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def line(**members):
    text = json.dumps(members, separators=(",", ":"))[:-1].encode()
    return text + b',"crc":"%08x"}\n' % crc32c(text)


class Journal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = folder.name
        self.seq = 0
        self.lines = []

    def note(self, kind, ago_s, **members):
        self.lines.append(line(type=kind, boot="b1", seq=self.seq, at=instant(NOW_MS - ago_s * 1000), **members))

    def event(self, word, ago_s, client="pump-7", skip=0, **members):
        self.seq += 1 + skip
        self.lines.append(line(type="event", cursor=f"b1:{self.seq}", boot="b1", seq=self.seq,
                               at=instant(NOW_MS - ago_s * 1000), event=word, client=client,
                               heartbeats=1, **members))

    def ask(self, *arguments):
        with open(os.path.join(self.directory, "0000000001.jsonl"), "wb") as file:
            file.writelines(self.lines)
        return run(None, *arguments, "--journal", self.directory)

    def story(self):
        self.note("start", 1000)
        self.event("joined", 1000)
        self.event("joined", 1000, client="pump-8")
        self.event("leave", 600, **{"from": "alive", "to": "leave", "reason": "silent"})
        self.event("return", 500, **{"from": "leave", "to": "alive", "reason": "silent"})
        self.note("mark", 400)
        self.note("start", 300)
        self.event("joined", 200)
        self.note("end", 0)

    def test_the_history_of_a_client_has_its_events_and_the_ends_of_daemons(self):
        self.story()
        shown = self.ask("history", "pump-7")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        words = [text.split()[2] for text in shown.stdout.splitlines() if not text.startswith("--")]
        self.assertEqual(words, ["joined", "leave", "return", "joined"])
        self.assertEqual(len([text for text in shown.stdout.splitlines() if text.startswith("-- the daemon")]), 2)
        recent = self.ask("history", "pump-7", "--since", "250s", "--json")
        self.assertEqual([json.loads(text)["event"] for text in recent.stdout.splitlines()], ["joined"])
        table = list(csv.DictReader(io.StringIO(self.ask("history", "pump-7", "--csv").stdout, newline="")))
        self.assertEqual([(row["event"], row["to"]) for row in table],
                         [("joined", ""), ("leave", "leave"), ("return", "alive"), ("joined", "")])

    def test_missing_events_are_counted(self):
        self.note("start", 10)
        self.event("joined", 10)
        self.event("close", 5, skip=3, reason="silent")
        self.assertIn("-- 3 events are missing --", self.ask("history", "pump-7").stdout)

    def test_a_client_that_the_journal_does_not_know(self):
        self.story()
        shown = self.ask("history", "pump-9")
        self.assertEqual((shown.returncode, shown.stdout), (1, ""))
        self.assertIn("has no such client", shown.stderr)

    def test_availability_counts_the_daemons_absence_as_unknown(self):
        self.story()
        shown = self.ask("availability", "--json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        pump_7, pump_8 = (json.loads(text) for text in shown.stdout.splitlines())
        self.assertEqual((pump_7["client"], pump_7["alive_ms"], pump_7["leave_ms"], pump_7["closed_ms"]),
                         ("pump-7", 700_000, 100_000, 0))
        # 100 s without a daemon, 100 s until it was heard again, and what passed since the end.
        self.assertGreaterEqual(pump_7["unknown_ms"], 200_000)
        self.assertEqual(pump_7["available_percent"], 87.5)
        self.assertEqual((pump_8["alive_ms"], pump_8["closed_ms"]), (600_000, 0))
        table = list(csv.DictReader(io.StringIO(self.ask("availability", "--csv").stdout, newline="")))
        self.assertEqual([(row["client"], row["available_percent"]) for row in table],
                         [("pump-7", "87.500"), ("pump-8", "100.000")])
        self.assertIn("87.500%", self.ask("availability", "--match", "pump-7").stdout)
        self.assertEqual(self.ask("availability", "--match", "x*").returncode, 1)

    def test_csv_gives_a_spreadsheet_no_formula(self):
        self.note("start", 10)
        self.event("joined", 10, client='=1+1,"x"')
        self.note("mark", 5)
        self.assertIn('"\'=1+1,""x""",', self.ask("availability", "--csv").stdout)

    def test_closes_are_listed_without_a_daemon_the_last_first(self):
        self.note("start", 1000)
        self.event("close", 900, client="pump-1", reason="silent", by="daemon", peer="10.0.0.1:1")
        self.event("close", 800, client="pump-2", reason="goodbye", by="client", peer="10.0.0.2:1")
        self.event("close", 700, client="pump-3", reason="kicked", by="operator", peer="10.0.0.3:1")

        def listed(*arguments):
            shown = self.ask("closed", "--json", *arguments)
            return [json.loads(text)["client"] for text in shown.stdout.splitlines()]
        self.assertEqual(listed(), ["pump-3", "pump-2", "pump-1"])
        self.assertEqual(listed("--by", "daemon"), ["pump-1"])
        self.assertEqual(listed("--reason", "goodbye"), ["pump-2"])
        self.assertEqual(listed("--since", "850s"), ["pump-3", "pump-2"])
        self.assertEqual(listed("--match", "10.0.0.2*"), ["pump-2"])
        self.assertEqual(listed("--limit", "1"), ["pump-3"])
        self.assertIn("goodbye", self.ask("closed").stdout)

    def test_without_a_journal(self):
        shown = run(None, "availability", "--journal", self.directory + "/none")
        self.assertEqual(shown.returncode, 1)
        self.assertIn("there is no event journal in", shown.stderr)


if __name__ == "__main__":
    unittest.main()
