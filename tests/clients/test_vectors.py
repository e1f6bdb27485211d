#!/usr/bin/env python3
"""The frames that docs/clients.md states in hex, against the Python client and the real daemon.

Usage: test_vectors.py DOCUMENT HEARTBEATD
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

import conformance
from heartbeat_client import _rules
from scripted_server import frame

DOCUMENT, HEARTBEATD = sys.argv[1:3]
WAIT_S = 60


def vectors():
    """The bytes of each frame in the document, by their JSON text."""
    with open(DOCUMENT, encoding="utf-8") as document:
        text = document.read()
    found = {}
    for body, dump in re.findall(r"^    (\{.*\})\n\n((?:    [0-9a-f]{4}  .*\n)+)", text, re.MULTILINE):
        digits = "".join(line[10:57] for line in dump.splitlines())
        found[body] = bytes.fromhex(digits)
    return found


class Daemon:
    """heartbeatd with its default rule, on a free port."""

    def __init__(self):
        self._log = tempfile.TemporaryFile(mode="w+")
        self._folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([HEARTBEATD, "--listen", "127.0.0.1:0", "--log-target", "stderr", "--control",
                                         f"{self._folder.name}/control.sock"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(WAIT_S)
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)
        self._folder.cleanup()
        self._log.close()


def read_to_the_end(connection):
    text = b""
    while more := connection.recv(4096):
        text += more
    return text


class Vectors(unittest.TestCase):
    def setUp(self):
        self.vectors = vectors()
        self.by_client = [text for text in self.vectors if text.startswith('{"ip"')]
        self.by_daemon = [text for text in self.vectors if text.startswith('{"type"')]
        self.assertEqual((len(self.by_client), len(self.by_daemon)), (6, 6))

    def test_each_dump_is_the_frame_of_its_text(self):
        for text, dump in self.vectors.items():
            self.assertEqual(dump, frame(text.encode()))

    def test_the_python_client_writes_them(self):
        alive, leave, close = {"status": "alive"}, {"status": "leave", "note": "no sign of work for 31 s"}, {"status": "close"}
        written = [_rules.heartbeat("192.168.1.105", 26464, "pump-7", declared, more) for declared, more in [
            (alive, _rules.first_members(10)), (alive, _rules.first_members(900, "battery")), (alive, None),
            (alive, {"quiet_ms": 600_000}), (leave, None), (close, None)]]
        self.assertEqual(written, [self.vectors[text] for text in self.by_client])

    def test_the_daemon_answers_with_them(self):
        first, _, later, quiet, leave, goodbye = (self.vectors[text] for text in self.by_client)
        welcome, declared, granted, superseded, _, bye = (self.vectors[text] for text in self.by_daemon)
        with Daemon() as daemon, daemon.connect() as old, daemon.connect() as new:
            old.sendall(first + later)
            self.assertEqual(old.recv(len(welcome), socket.MSG_WAITALL), welcome)
            new.sendall(first)
            own_port = str(new.getsockname()[1]).encode()
            self.assertEqual(read_to_the_end(old), superseded.replace(b"40000", own_port))
            new.sendall(quiet + leave + goodbye)
            self.assertEqual(read_to_the_end(new), welcome + granted + declared + bye)

    def test_the_python_client_reads_them(self):
        frames = _rules.Frames()
        read = [_rules.parsed(body) for text in self.by_daemon for byte in self.vectors[text]
                for body in frames.feed(bytes([byte]))]
        self.assertEqual([_rules.is_close(each) for each in read], [False, False, False, True, True, True])
        pause = _rules.Pause(1, 60)
        self.assertGreaterEqual(pause.after(100, 10, read[3]), 30)
        self.assertGreaterEqual(_rules.Pause(1, 60).after(100, 10, read[4]), 5)


class Reasons(unittest.TestCase):
    """Each reason for a close has a definite behaviour: in the document, and in the conformance test."""

    def table(self, name, heading):
        """The words in the first column of the table that follows a heading."""
        with open(os.path.join(os.path.dirname(DOCUMENT), name), encoding="utf-8") as document:
            section = document.read().split(f"\n### {heading}\n")[1]
        rows = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()[2:]
        return {word: row for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[1])}

    def test_none_is_left_out(self):
        reasons = set(self.table("protocol.md", "Reasons for a close"))
        self.assertGreater(len(reasons), 15)
        self.assertEqual(reasons, set(conformance.BARRED + conformance.ORDINARY + conformance.UNHEARD))
        rows = self.table("clients.md", "What a client does after a close")
        self.assertEqual(reasons, set(rows) | set(conformance.UNHEARD))
        self.assertEqual(sorted(word for word, row in rows.items() if row.split("|")[2].startswith(" the cap at once")),
                         sorted(conformance.BARRED))


class Pause(unittest.TestCase):
    """The bounds of the pause, drawn often enough that each half of the range shows."""

    def drawn(self, failures, **close):
        pauses = []
        for _ in range(300):
            pause = _rules.Pause(1, 60)
            for _ in range(failures):
                pause.after(0, 10, {})
            pauses.append(pause.after(0, 10, close))
        return min(pauses), max(pauses)

    def test_full_jitter_doubles_up_to_the_cap_where_half_of_it_is_the_least(self):
        for failures, shortest, longest in [(0, 0, 1), (1, 0, 2), (5, 0, 32), (6, 30, 60), (7, 30, 60), (200, 30, 60)]:
            least, most = self.drawn(failures)
            self.assertTrue(shortest <= least < shortest + longest / 10, (failures, least))
            self.assertTrue(longest * 0.9 < most <= longest, (failures, most))

    def test_the_first_pause_begins_at_nothing_also_where_the_base_is_the_cap(self):
        self.assertLess(min(_rules.Pause(60, 60).after(0, 10, {}) for _ in range(300)), 6)

    def test_barred(self):
        for reason in conformance.BARRED:
            least, most = self.drawn(0, reason=reason)
            self.assertTrue(30 <= least < 33 and 57 < most <= 60, (least, most))

    def test_an_interval_to_the_millisecond(self):
        for connected_for, longest in [(10, 1), (9.999, 60)]:
            pauses = []
            for _ in range(300):
                pause = _rules.Pause(1, 60)
                for _ in range(10):
                    pause.after(0, 10, {})
                pauses.append(pause.after(connected_for, 10, {}))
            self.assertTrue(longest * 0.9 < max(pauses) <= longest, (connected_for, max(pauses)))

    def test_retry_after_is_bounded_and_checked(self):
        day = 24 * 60 * 60
        for asked, least, most in [(1, 0.001, 1.001), (10**15, day, day + 1), (-5, 0, 1), ("9", 0, 1), (True, 0, 1)]:
            pause = _rules.Pause(1, 60).after(0, 10, {"retry_after_ms": asked})
            self.assertTrue(least <= pause <= most, (asked, pause))

    def test_texts_at_their_bounds(self):
        self.assertEqual(_rules.checked_id("x" * 128), "x" * 128)
        for wrong in ("", "x" * 129, "a\tb", "a\u202eb", "10.0.0.7", "10.0.0.7:4711", "::1", "[::1]", "[::1]:80"):
            with self.assertRaises(ValueError):
                _rules.checked_id(wrong)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
