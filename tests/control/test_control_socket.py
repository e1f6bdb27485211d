#!/usr/bin/env python3
"""Where the control socket is, whose it is, and what happens to its name."""
import os
import signal
import socket
import stat
import subprocess
import unittest

import asker
import harness

# Starts of two daemons at once.  They seldom meet within the microseconds in which they could disturb each other: that is
# tried in socket_file_test.cpp, in one process.  Here it is seen what a person who starts two sees.
PAIRS = 20


class ControlSocket(asker.ControlTest):
    def refused(self, path):
        """The line of a daemon that does not start because of its control socket."""
        done = subprocess.run([harness.DAEMON, "--listen", "127.0.0.1:0", "--control", path],
                              capture_output=True, text=True, timeout=harness.BOUND_S, check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("heartbeatd: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def test_it_has_mode_0660_and_is_removed_at_the_end(self):
        daemon = self.start()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o660)
        daemon.end()
        self.assertEqual(os.listdir(self.directory), [])  # nor its lock

    def test_of_two_that_start_at_once_on_a_stale_one_exactly_one_has_it(self):
        def start():
            process = subprocess.Popen([harness.DAEMON, "--listen", "127.0.0.1:0", "--control", self.path],
                                       stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.stderr.close)
            self.addCleanup(process.kill)
            return process

        def outcome(process):
            """The line that says that it is ready, or why it does not start."""
            return next(line.rstrip() for line in process.stderr if " is ready" in line or line.startswith("heartbeatd: "))

        for _ in range(PAIRS):
            stale = socket.socket(socket.AF_UNIX)
            stale.bind(self.path)
            stale.close()
            pair = [start(), start()]
            outcomes = [outcome(process) for process in pair]
            ready = [" is ready" in line for line in outcomes]
            self.assertEqual(sorted(ready), [False, True], outcomes)
            winner, loser = pair[ready.index(True)], pair[ready.index(False)]
            self.assertIn("another process listens there", outcomes[ready.index(False)])
            self.assertEqual(loser.wait(harness.BOUND_S), 69)
            self.assertEqual(self.ask("status")[0]["pid"], winner.pid)
            winner.terminate()
            self.assertEqual(winner.wait(harness.BOUND_S), 0)
        self.assertEqual(os.listdir(self.directory), [])

    def test_a_stale_one_is_replaced(self):
        crashed = self.start()
        crashed.kill()
        self.assertTrue(self.is_socket(self.path))
        self.start()
        self.assertEqual(self.ask("status")[-1]["type"], "done")

    def test_a_live_one_is_refused_and_goes_on(self):
        daemon = self.start()
        line = self.refused(self.path)
        self.assertEqual(line, f"heartbeatd: control socket {self.path}: another process listens there"
                               f" (pid {daemon.process.pid})")
        self.assertEqual(self.ask("status")[-1]["type"], "done")

    def test_one_that_answers_nobody_because_its_daemon_is_stopped_is_refused_too(self):
        daemon = self.start()
        daemon.stop_running()
        self.assertIn("another process listens there", self.refused(self.path))
        daemon.go_on()

    def test_a_file_that_is_no_socket_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        self.assertIn("something that is not a socket has that name", self.refused(self.path))
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_path_that_cannot_be_is_refused(self):
        self.assertIn("No such file or directory", self.refused(self.directory + "/no/such/control.sock"))

    def test_a_name_that_was_taken_meanwhile_is_not_removed(self):
        daemon = self.start()
        os.unlink(self.path)
        other = socket.socket(socket.AF_UNIX)
        self.addCleanup(other.close)
        other.bind(self.path)
        daemon.end()
        self.assertTrue(self.is_socket(self.path))

    def test_without_a_path_it_is_in_the_directory_of_the_service_or_of_the_session(self):
        for variable, below in [("RUNTIME_DIRECTORY", "control.sock"),
                                ("XDG_RUNTIME_DIR", "heartbeatd/control.sock")]:
            with self.subTest(variable):
                others = {"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": ""}
                daemon = harness.Daemon(environment={**others, variable: self.directory})
                self.addCleanup(daemon.end)
                path = os.path.join(self.directory, below)
                self.assertTrue(self.is_socket(path))
                self.assertEqual(self.asker(path).ask("status")[-1]["type"], "done")
                daemon.end()

    def test_without_a_path_a_daemon_that_cannot_have_one_warns_and_goes_on(self):
        self.start()
        second = harness.Daemon(environment={"RUNTIME_DIRECTORY": self.directory, "XDG_RUNTIME_DIR": ""})
        self.addCleanup(second.end)
        warnings = [line.text for line in second.lines() if line.level == "warning"]
        self.assertEqual(len(warnings), 1)
        self.assertIn("another process listens there", warnings[0])
        self.connect(second).sync()

    def test_an_end_with_open_sessions_is_clean(self):
        daemon = self.start()
        watcher = self.asker()
        watcher.send("watch")
        half = self.asker()
        half.socket.sendall(b"\x00\x00")
        self.ask("status")
        daemon.end(signal.SIGTERM)
        while watcher.read() is not None:
            pass
        self.assertTrue(half.has_ended())


if __name__ == "__main__":
    unittest.main()
