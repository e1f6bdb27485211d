#!/usr/bin/env python3
"""Holds as operators order and see them, with a real daemon: in the log, in why, and over a restart."""
import os
import subprocess
import unittest

import asker

RULE = {"tick": "50ms", "threshold": 2, "cursor": 1, "recover": 2, "leave_timeout": "600ms"}
# A client is in leave 1.5 s after it joined: a busy machine has run heartbeatctl by then.
SLOW = {**RULE, "tick": "500ms"}


class Hold(asker.ControlTest):
    def ctl(self, *arguments):
        return subprocess.run([os.environ["HEARTBEATCTL"], "--control", self.path, *arguments], capture_output=True,
                              text=True, timeout=asker.BOUND_S, check=False)

    def test_a_held_client_outlives_its_leave_and_is_closed_at_the_release(self):
        daemon = self.start(brake_share=0, **SLOW)
        self.clients = [self.join(daemon, name) for name in ("pump-7", "valve-1")]
        held = self.ctl("hold", "pump-*", "--for", "1h", "--why", "new firmware")
        self.assertEqual((held.returncode, held.stderr), (0, ""), held)
        self.assertRegex(held.stdout, r"^no client pump-\* is closed for silence until 20")
        line = daemon.wait("operator", command="hold", match="pump-*")
        self.assertEqual((line["uid"], line["for"], line["why"]), (str(os.getuid()), "1h", "new firmware"))
        daemon.wait("hold", match="pump-*")
        daemon.wait("leave", client="pump-7", on_hold="new firmware")
        daemon.wait("close", client="valve-1", reason="silent")
        daemon.wait("strike", client="pump-7")
        story = self.ctl("why", "pump-7").stdout
        self.assertRegex(story, r"(?m)^hold +not closed for silence until .*, by uid \d+: new firmware$")
        self.assertRegex(self.ctl("status").stdout, r"(?m)^hold +pump-\* until .*: new firmware$")
        self.assertRegex(self.ctl("clients").stdout, "leave, hold")
        self.assertEqual(daemon.lines("close", client="pump-7"), [])
        self.assertEqual(self.ctl("release", "pump-*").returncode, 0)
        daemon.wait("hold_end", match="pump-*", by="operator")
        self.assertIn("by an operator", daemon.wait("close", client="pump-7", reason="silent").text)
        missing = self.ctl("release", "pump-*")
        self.assertEqual(missing.returncode, 1, missing)
        self.assertIn("no hold of 'pump-*' lasts", missing.stderr)

    def test_a_hold_ends_by_itself(self):
        daemon = self.start(brake_share=0, **RULE)
        self.clients = [self.join(daemon, "pump-7")]
        self.assertEqual(self.ask("hold", match="*", for_ms=1500, why="x")[-1]["type"], "done")
        daemon.wait("close", client="pump-7", reason="silent")
        lines = daemon.lines("hold_end", by="daemon")
        self.assertEqual(len(lines), 1, lines)
        self.assertEqual(lines[0]["after"], "1.500s")


if __name__ == "__main__":
    unittest.main()
