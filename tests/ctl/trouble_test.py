#!/usr/bin/env python3
"""A daemon that is not there, does not answer, answers nonsense, or may not be asked."""

import os
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

from fake_daemon import FakeDaemon, done, frame, status
from program import PROGRAM, environment, run

# Each with the least that it needs.
COMMANDS = [["status"], ["clients"], ["why", "x"], ["watch"], ["kick", "x"], ["log-level", "info"], ["reload"],
            ["brake", "confirm"], ["settings"], ["hold", "x", "--for", "1h", "--why", "x"], ["release", "x"], ["forget", "x"], ["roster"]]


class Trouble(unittest.TestCase):
    def fail_with(self, daemon, *arguments, code, said):
        result = run(daemon, *arguments)
        self.assertEqual(result.returncode, code, result)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("heartbeatctl: "), result.stderr)
        for words in said:
            self.assertIn(words, result.stderr)

    def test_without_a_daemon_each_command_says_where_it_looked_and_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "control.sock")
            for command in COMMANDS:
                for more in ([], ["--json"]):
                    with self.subTest(command + more):
                        self.fail_with(path, *command, *more, code=69, said=[path, "No such file", "start heartbeatd"])

    def test_a_stale_socket_is_no_daemon(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "control.sock")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
            self.fail_with(path, "status", code=69, said=[path, "Connection refused"])

    def test_by_default_it_looks_for_the_users_daemon_and_then_for_the_systems(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run(None, "status", XDG_RUNTIME_DIR=folder)
            self.assertIn(f"{folder}/heartbeatd/control.sock", result.stderr)
            with FakeDaemon() as daemon:
                os.mkdir(os.path.join(folder, "heartbeatd"))
                os.symlink(daemon.path, os.path.join(folder, "heartbeatd", "control.sock"))
                self.assertEqual(run(None, "status", XDG_RUNTIME_DIR=folder).returncode, 0)

    def test_a_daemon_that_does_not_answer_is_waited_for_so_long_as_was_said(self):
        for sent in (b"", frame(status())[:100], frame(status())):
            with self.subTest(sent[:20]):
                stuck = socket.socket(socket.AF_UNIX)
                with tempfile.TemporaryDirectory() as folder, stuck:
                    path = os.path.join(folder, "control.sock")
                    stuck.bind(path)
                    stuck.listen(1)
                    process = subprocess.Popen([PROGRAM, "--control", path, "--timeout", "300ms", "status", "--json"],
                                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                               env=environment())
                    connection, _ = stuck.accept()
                    with connection:
                        connection.sendall(sent)
                        _, err = process.communicate(timeout=30)
                    self.assertEqual(process.returncode, 69)
                    self.assertEqual(err, f"heartbeatctl: the daemon at {path} gave no answer within 300ms: "
                                          "look into its log, or wait longer with --timeout\n")

    def test_a_daemon_whose_queue_is_full_is_waited_for_too(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as full:
            path = os.path.join(folder, "control.sock")
            full.bind(path)
            full.listen(0)
            waiting = []
            while True:
                other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                waiting.append(other)
                if other.connect_ex(path) != 0:
                    break
            self.fail_with(path, "--timeout", "200ms", "status", code=69, said=[path, "within 200ms"])
            for other in waiting:
                other.close()

    def test_a_daemon_that_goes_away_meanwhile_is_said_to(self):
        for sent in (b"", frame(status())[:50], b"\0"):
            with self.subTest(sent[:20]):
                # The connection ends after what was sent, as there is no answer to be made from None.
                with FakeDaemon() as daemon:
                    def answer(_, sent=sent, daemon=daemon):
                        connection = daemon.connections[-1][0]
                        connection.sendall(sent)
                        connection.shutdown(socket.SHUT_RDWR)
                        raise OSError
                    daemon.answers["status"] = answer
                    self.fail_with(daemon, "status", code=69, said=[daemon.path, "went away"])

    def test_what_speaks_otherwise_is_no_heartbeatd(self):
        def body(text):
            return struct.pack("!i", len(text)) + text
        for sent in (b"HTTP/1.1 400 Bad Request\r\n\r\n", body(b"nonsense"), body(b"[]"), body(b"{}"),
                     body(b'{"type":"\xff"}'), body(b"[" * 65536), struct.pack("!i", 65537), struct.pack("!i", 0),
                     struct.pack("!i", -1)):
            with self.subTest(sent[:20]):
                with FakeDaemon({"status": [sent]}) as daemon:
                    self.fail_with(daemon, "status", code=76, said=[daemon.path, "is no heartbeatd"])

    def test_an_answer_without_its_object_is_no_answer(self):
        with FakeDaemon({"status": [done()]}) as daemon:
            self.fail_with(daemon, "status", code=76, said=["without an object"])

    def test_objects_with_other_members_than_expected_do_no_harm(self):
        odd = {"type": "status", "clients": 7, "uptime_ms": "x", "listening": {"a": 1}, "stalls": {"count": -1},
               "feed": [], "rule": None, "heartbeats": {"per_second": {"1": 1e300, "10": "x"}}}
        odd_client = {"type": "client", "name": 7, "margin": 1e300, "silent_ms": -9223372036854775808,
                      "connected": "9999-99-99T99:99:99.999Z", "interval_ms": 18446744073709551615}
        odd_story = {"type": "story", "client": [], "moments": [1, {"what": 7}], "stalls": 7, "close": {"at": ""}}
        answers = {"status": [odd], "clients": [odd_client], "why": [odd_story]}
        with FakeDaemon(answers) as daemon:
            for command in (["status"], ["clients"], ["why", "x"]):
                with self.subTest(command):
                    result = run(daemon, *command)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_list_that_goes_round_in_circles_ends(self):
        with FakeDaemon({"clients": [done(count=0, next="7")]}) as daemon:
            self.fail_with(daemon, "clients", "--json", code=76, said=["does not go on after 7"])

    def test_a_bad_request_is_a_bad_command_line(self):
        with FakeDaemon({"clients": [{"type": "error", "code": "bad_request", "message": "match: [ has no end"}]}) as daemon:
            self.fail_with(daemon, "clients", "--match", "[", code=2, said=["match: [ has no end"])

    def test_a_daemon_that_is_busy_may_be_asked_again(self):
        with FakeDaemon({"clients": [{"type": "error", "code": "busy", "message": "too many lists"}]}) as daemon:
            self.fail_with(daemon, "clients", code=75, said=["too many lists"])

    def test_a_request_that_is_too_long_is_not_sent(self):
        with FakeDaemon() as daemon:
            self.fail_with(daemon, "why", "x" * 70000, code=2, said=["the daemon reads at most 65536"])
            self.assertEqual(daemon.requests, [])

    @unittest.skipIf(os.geteuid() != 0, "changing to a user who may not connect takes root")
    def test_one_who_may_not_is_told_so(self):
        with FakeDaemon() as daemon:
            os.chmod(daemon.folder, 0o755)
            os.chmod(daemon.path, 0o660)
            result = subprocess.run([PROGRAM, "--control", daemon.path, "status"], capture_output=True, text=True,
                                    env=environment(), user=65534, group=65534, extra_groups=[], check=False)
            self.assertEqual(result.returncode, 77, result)
            self.assertIn(f"may not use {daemon.path} (Permission denied)", result.stderr)

    def test_output_that_cannot_be_written_is_an_error(self):
        with FakeDaemon() as daemon, open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([PROGRAM, "--control", daemon.path, "status"], stdout=full, text=True,
                                    stderr=subprocess.PIPE, env=environment(), check=False)
        self.assertEqual((result.returncode, result.stderr),
                         (74, "heartbeatctl: cannot write to standard output\n"))

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        with FakeDaemon() as daemon:
            read, write = os.pipe()
            os.close(read)
            with os.fdopen(write, "w") as closed:
                # As from a parent that ignores the signal.
                result = subprocess.run([PROGRAM, "--control", daemon.path, "status"], stdout=closed, text=True,
                                        stderr=subprocess.PIPE, env=environment(), check=False,
                                        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, ""))


if __name__ == "__main__":
    unittest.main()
