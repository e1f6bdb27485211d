#!/usr/bin/env python3
"""The completion of bash: every command and option that the program has, and the names of clients."""

import os
import re
import subprocess
import unittest

from fake_daemon import FakeDaemon, client
from program import PROGRAM, environment, run

COMPLETION = os.environ["COMPLETION"]

# What bash does when Tab is pressed after the line: the function gets the word as bash cuts it.
ASK = r"""
source "$COMPLETION"
COMP_LINE=$1 COMP_POINT=${#1}
word=${COMP_LINE##*[ :=]}
_heartbeatctl heartbeatctl "$word" ""
printf '%s\n' "${COMPREPLY[@]}"
"""


def completed(line):
    folder = os.path.dirname(PROGRAM)
    shell = subprocess.run(["bash", "-c", ASK, "bash", line], capture_output=True, text=True, check=True,
                           env=environment(COMPLETION=COMPLETION, PATH=folder + ":" + os.environ["PATH"]))
    # compopt, outside of a real completion, complains about just that.
    complaints = [line for line in shell.stderr.splitlines() if "not currently executing completion" not in line]
    if complaints:
        raise AssertionError(complaints)
    return shell.stdout.split()


def commands():
    listed = run(None, "--help").stdout.split("Subcommands:")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z-]+) ", listed, re.M)


def options(*command):
    return sorted(set(re.findall(r"--[a-z][a-z-]*", run(None, *command, "--help").stdout.split("Options:")[1]
                                 .split("\n\n")[0])))


class Completion(unittest.TestCase):
    def test_every_command_is_offered(self):
        self.assertGreater(len(commands()), 5)
        self.assertEqual(sorted(completed("heartbeatctl ")), sorted(commands()))
        self.assertEqual(sorted(completed("heartbeatctl --json --timeout 5s ")), sorted(commands()))
        self.assertEqual(completed("heartbeatctl st"), ["status"])

    def test_every_option_is_offered(self):
        everywhere = set(options()) - {"--version"}
        self.assertEqual(set(completed("heartbeatctl -")), everywhere | {"--version"})
        for command in commands():
            with self.subTest(command):
                offered = set(completed(f"heartbeatctl {command} -"))
                self.assertEqual(offered, everywhere | set(options(command)))

    def test_values_are_offered(self):
        self.assertEqual(completed("heartbeatctl clients --sort m"), ["margin"])
        self.assertEqual(completed("heartbeatctl clients --status "), ["alive", "leave"])
        self.assertEqual(completed("heartbeatctl watch --event lea"), ["leave"])
        self.assertEqual(completed("heartbeatctl log-level de"), ["debug"])
        self.assertEqual(completed("heartbeatctl --timeout "), [])

    def test_names_of_clients_are_offered(self):
        def answer(request):
            start = request["match"].rstrip("*")
            return [client(name) for name in ("pump-7", "pump-8", "two words", "$(x)") if name.startswith(start)]
        with FakeDaemon({"clients": answer}) as daemon:
            line = f"heartbeatctl --control {daemon.path} "
            self.assertEqual(completed(line + "kick "), ["pump-7", "pump-8"])
            self.assertEqual(completed(line + "kick pump-7 p"), ["pump-7", "pump-8"])
            self.assertEqual(completed(line + "why pump-8"), ["pump-8"])
            self.assertEqual(completed(line + "clients --match pump-8"), ["pump-8"])
            self.assertEqual(daemon.requests[0], {"command": "clients", "limit": 200, "match": "*"})

    def test_what_bash_cuts_at_a_colon_is_not_said_again(self):
        with FakeDaemon({"clients": [client("127.0.0.1:40001"), client("127.0.0.1:40002")]}) as daemon:
            line = f"heartbeatctl --control {daemon.path} kick 127.0.0.1"
            self.assertEqual(completed(line), ["127.0.0.1:40001", "127.0.0.1:40002"])
            self.assertEqual(completed(line + ":"), ["40001", "40002"])
            self.assertEqual(completed(line + ":400"), ["40001", "40002"])

    def test_without_a_daemon_nothing_is_offered(self):
        self.assertEqual(completed("heartbeatctl --control /nowhere/at/all kick "), [])


if __name__ == "__main__":
    unittest.main()
