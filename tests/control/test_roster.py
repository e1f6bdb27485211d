#!/usr/bin/env python3
"""The roster of a real daemon: missing clients from the start, over reloads and with a file that is wrong."""
import os
import subprocess
import unittest

import asker


class Roster(asker.ControlTest):
    def write(self, *ids):
        with open(self.roster, "w", encoding="utf-8") as file:
            file.write("".join(f"{each}\n" for each in ids))

    def setUp(self):
        super().setUp()
        self.roster = os.path.join(self.directory, "roster")

    def ctl(self, *arguments):
        result = subprocess.run([os.environ["HEARTBEATCTL"], "--control", self.path, *arguments], capture_output=True,
                                text=True, timeout=asker.BOUND_S, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def shown(self):
        return self.ask("status")[0].get("roster")

    def test_clients_that_never_came_are_missing_and_a_reload_reads_the_file_again(self):
        self.write("pump-1", "pump-2", "pump-3")
        daemon = self.start(roster=self.roster)
        asker.wait_until(lambda: self.shown() == {"file": self.roster, "expected": 3, "missing": 3}, "the roster")
        clients = [self.join(daemon, name) for name in ("pump-1", "valve-1")]
        self.assertEqual(self.ctl("roster"), "pump-2\npump-3\n")
        self.assertEqual(self.ctl("roster", "--diff"), "- pump-2\n- pump-3\n+ valve-1\n")
        self.assertEqual(self.ctl("roster", "--export"), "pump-1\nvalve-1\n")
        self.write("pump-1", "valve-1")
        self.assertEqual(self.ask("reload")[-1]["type"], "done")
        asker.wait_until(lambda: self.shown() == {"file": self.roster, "expected": 2, "missing": 0}, "the new roster")
        clients[0].close()
        asker.wait_until(lambda: self.shown()["missing"] == 1, "a client that left")
        self.write("pump-1", "10.0.0.1")
        self.assertEqual(self.ask("reload")[-1]["type"], "done")
        asker.wait_until(lambda: "line 2" in self.shown().get("error", ""), "what is wrong")
        self.assertEqual(self.shown()["expected"], 2)

    def test_a_hundred_thousand_ids_hold_no_verdict_up(self):
        self.write(*(f"pump-{number}" for number in range(100_000)))
        self.start(roster=self.roster)
        asker.wait_until(lambda: self.shown() is not None and self.shown()["missing"] == 100_000, "the roster")
        self.write(*(f"valve-{number}" for number in range(100_001)))
        self.ask("reload")
        asker.wait_until(lambda: self.shown()["missing"] == 100_001, "the new roster")
        self.assertEqual(self.ask("status")[0]["stalls"]["count"], 0)


if __name__ == "__main__":
    unittest.main()
