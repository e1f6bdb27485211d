#!/usr/bin/env python3
"""The manual page is well-formed, and names every command, option and exit code."""

import os
import re
import shutil
import subprocess
import unittest

from program import run

MANUAL = os.environ["MANUAL"]


def names():
    program = run(None, "--help").stdout
    commands = re.findall(r"^  ([a-z-]+) ", program.split("Subcommands:")[1].split("\n\n")[0], re.M)
    helps = [program] + [run(None, command, "--help").stdout for command in commands]
    return sorted({*commands, *(option for text in helps for option in re.findall(r"--[a-z][a-z-]*", text))})


class Manual(unittest.TestCase):
    def test_every_command_and_option_is_in_it(self):
        with open(MANUAL, encoding="utf-8") as file:
            source = file.read()
        text = re.sub(r"\\f[BIR]", "", source).replace("\\-", "-")
        self.assertGreater(len(names()), 20)
        for name in names():
            with self.subTest(name):
                self.assertTrue(re.search(rf"(?<![\w-]){name}(?![\w-])", text), "is missing")
        for code in (0, 1, 2, 69, 74, 75, 76, 77):
            with self.subTest(code):
                self.assertTrue(f"\n.B {code}\n" in text, "is missing")

    @unittest.skipUnless(shutil.which("man"), "there is no man to read it with")
    def test_it_is_read_without_a_warning(self):
        result = subprocess.run(["man", "--warnings", "-l", "-Tutf8", MANUAL], capture_output=True, text=True,
                                check=True, env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        self.assertEqual(result.stderr, "")
        self.assertIn("heartbeatctl - ask", result.stdout)


if __name__ == "__main__":
    unittest.main()
