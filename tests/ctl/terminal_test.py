#!/usr/bin/env python3
"""Colour and width: on a terminal as it is, elsewhere none and all."""

import unittest

from fake_daemon import FakeDaemon, client
from program import Terminal, run


class OnATerminal(unittest.TestCase):
    def setUp(self):
        self.daemon = FakeDaemon({"clients": [client("pump-" + "7" * 40), client("泵", status="leave", margin=0.1)]})
        self.daemon.start()
        self.addCleanup(self.daemon.__exit__)

    def lines(self, *arguments, **more):
        with Terminal(self.daemon, *arguments, **more) as terminal:
            self.assertEqual(terminal.end(), (0, ""))
            return terminal.screen.decode().replace("\r\n", "\n").splitlines()

    def test_a_terminal_gets_colour(self):
        self.assertIn("\x1b[32malive\x1b[0m", "\n".join(self.lines("clients")))

    def test_no_color_is_heeded(self):
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            with self.subTest(more):
                self.assertNotIn("\x1b", "\n".join(self.lines("clients", **more)))

    def test_an_empty_no_color_is_none(self):
        self.assertIn("\x1b[32m", "\n".join(self.lines("clients", NO_COLOR="")))

    def test_a_pipe_gets_neither_colour_nor_cuts(self):
        out = run(self.daemon, "clients", COLUMNS="20").stdout
        self.assertNotIn("\x1b", out)
        self.assertIn("pump-" + "7" * 40, out)
        self.assertIn("PID", out)

    def test_json_is_never_coloured_or_cut(self):
        for line in self.lines("clients", "--json", columns=20):
            self.assertTrue(line.startswith('{"type":"client"') and line.endswith("}"), line)

    def test_tables_fit_the_terminal(self):
        for columns in (10, 20, 40, 60, 80, 120, 200):
            with self.subTest(columns):
                lines = self.lines("clients", columns=columns, NO_COLOR="1")
                self.assertEqual(len(lines), 3)
                for line in lines:
                    wide = sum(character == "泵" for character in line)
                    self.assertLessEqual(len(line) + wide, columns, line)
                self.assertEqual("PID" in lines[0], columns == 200)
                self.assertEqual("STATUS" in lines[0], columns >= 20)

    def test_facts_fit_the_terminal(self):
        for line in self.lines("status", columns=60, NO_COLOR="1"):
            self.assertLessEqual(len(line), 60, line)

    def test_columns_come_before_what_the_terminal_says(self):
        for columns in ("40", "nonsense", "0", ""):
            with self.subTest(columns):
                longest = max(map(len, self.lines("clients", columns=70, NO_COLOR="1", COLUMNS=columns)))
                self.assertEqual(longest <= 40, columns == "40")
                self.assertLessEqual(longest, 70)


if __name__ == "__main__":
    unittest.main()
