#!/usr/bin/env python3
"""A wrong command line costs one line and exit code 2, before any daemon is asked."""

import os
import re
import subprocess
import unittest

from program import PROGRAM, run


class CommandLine(unittest.TestCase):
    def test_each_mistake_is_named(self):
        for arguments, said in [
                ([], "which command?"),
                (["frobnicate"], "'frobnicate' is no command (heartbeatctl"),
                (["client"], "'client' is no command: did you mean clients?"),
                (["statsu"], "'statsu' is no command: did you mean status?"),
                (["why", "-x"], "'-x' is not expected; a client of that name is written behind --: heartbeatctl why -- -x"),
                (["kick", "pump-7", "-x"], "'-x' is not expected; a client of that name is written behind --"),
                (["closed", "--since", "10"], "--since: '10' has no unit"),
                (["closed", "--limit", "10001"], "--limit: at most 10000 are listed"),
                (["--frobnicate"], "'--frobnicate' is not expected"),
                (["status", "--frobnicate"], "'--frobnicate' is not expected"),
                (["status", "now"], "'now' is not expected"),
                (["why"], "CLIENT is required"),
                (["why", ""], "CLIENT: it is empty"),
                (["kick"], "CLIENT is required"),
                (["kick", b"\xff"], r"CLIENT: '\xff' is not UTF-8"),
                (["brake"], "ACTION is required"),
                (["brake", "stop"], "ACTION: 'stop' is none of confirm, release"),
                (["hold", "pump-*", "--why", "x"], "--for is required"),
                (["hold", "pump-*", "--for", "2h"], "--why is required"),
                (["hold", "--for", "2h", "--why", "x"], "GLOB is required"),
                (["hold", "pump-*", "--for", "2", "--why", "x"], "--for: '2' has no unit"),
                (["release"], "GLOB is required"),
                (["log-level"], "LEVEL is required"),
                (["log-level", "loud"], "LEVEL: 'loud' is none of trace, debug,"),
                (["clients", "--status", "close"], "--status: 'close' is none of alive, leave"),
                (["clients", "--sort", "age"], "--sort: 'age' is none of silence, margin, connected, name"),
                (["clients", "--limit", "0"], "--limit: '0' is not a whole number from 1"),
                (["clients", "--limit", "10x"], "--limit: '10x' is not a whole number from 1"),
                (["clients", "--sort", "name", "--limit", "10001"], "--limit: with --sort at most 10000"),
                (["watch", "--event", "leave,lunch"], "--event: 'lunch' is none of connected,"),
                (["top", "--json"], "--json: top is for a terminal"),
                (["top"], "top needs a terminal"),
                (["--timeout", "10", "status"], "--timeout: '10' has no unit"),
                (["--timeout", "0ms", "status"], "--timeout: '0ms' is not from 1ms to 1h"),
                (["--timeout", "3600001ms", "status"], "--timeout: '3600001ms' is not from 1ms to 1h"),
                (["--control", "", "status"], "--control: it is empty"),
                (["--control", "x" * 108, "status"], "--control: the path has 108 bytes; a socket's has at most 107"),
        ]:
            with self.subTest(arguments):
                result = run(None, *arguments)
                self.assertEqual(result.returncode, 2, result)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr.startswith("heartbeatctl: " + said), result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_no_line_of_a_help_is_wider_than_80_columns(self):
        helps = [run(None, "--help").stdout]
        for command in re.findall(r"^  ([a-z-]+) ", helps[0].split("Subcommands:")[1].split("\n\n")[0], re.M):
            helps.append(run(None, command, "--help").stdout)
        self.assertGreater(len(helps), 10)
        folder = os.path.dirname(PROGRAM)
        for program in ("heartbeatd", "heartbeat-client", "heartbeat-sim", "heartbeat-bench", "heartbeat-notify",
                        "heartbeat-relay"):
            if os.access(os.path.join(folder, program), os.X_OK):
                helps.append(subprocess.run([os.path.join(folder, program), "--help"], capture_output=True, text=True,
                                            check=True).stdout)
        self.assertEqual([line for text in helps for line in text.splitlines() if len(line) > 80], [])

    def test_help_and_version_are_on_standard_output(self):
        for arguments, said in [(["--help"], "Exit codes:"), (["clients", "--help"], "--sort"), (["--version"], "heartbeatctl ")]:
            with self.subTest(arguments):
                result = run(None, *arguments)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(said, result.stdout)


if __name__ == "__main__":
    unittest.main()
