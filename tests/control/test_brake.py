#!/usr/bin/env python3
"""The brake on mass closing as operators see it, and end it."""
import unittest

import asker

FLEET = 20


class Brake(asker.ControlTest):
    def hold(self, **flags):
        daemon = self.start(tick="50ms", threshold=3, cursor=1, recover=2, leave_timeout="5s", **flags)
        self.clients = [self.join(daemon, f"pump-{number}") for number in range(FLEET)]
        daemon.wait("brake")
        return daemon

    def test_status_and_why_tell_that_it_holds_for_whom_and_until_when(self):
        daemon = self.hold()
        status, _ = self.ask("status")
        self.assertEqual(status["brake"]["state"], "holding")
        self.assertEqual(status["brake"]["count"], 1)
        last = status["brake"]["last"]
        self.assertEqual((last["concerned"], last["clients"], last["subnet"]), (FLEET, FLEET, "127.0.0.1"))
        host, port = daemon.address
        self.assertEqual(last["listener"], f"{host}:{port}")
        self.assertLessEqual(last["heard_first"], last["heard_last"])
        self.assertLess(last["heard_last"], last["from"])
        story, _ = self.ask("why", client="pump-0")
        self.assertTrue(story["client"]["held"])
        self.assertEqual(story["client"]["closes"], last["until"])
        self.assertIn("the brake on mass closing delays its close", story["verdict"])
        self.assertEqual([brake["from"] for brake in story["brakes"]], [last["from"]])

    def test_confirm_closes_those_that_wait(self):
        daemon = self.hold()
        done = self.ask("brake", action="confirm")[-1]
        self.assertEqual(done["type"], "done")
        end = daemon.wait("brake_end", ended="confirmed")
        self.assertEqual(int(end["held"]), done["count"])
        daemon.wait("close", count=FLEET)  # the others when they are due
        daemon.wait("operator", command="brake", action="confirm")
        self.assertEqual(self.ask("status")[0]["brake"]["state"], "ready")

    def test_release_gives_everybody_a_new_leave_period(self):
        daemon = self.hold()
        done = self.ask("brake", action="release")[-1]
        self.assertEqual(done, {"type": "done", "count": FLEET})
        daemon.wait("brake_end", ended="released", held=FLEET)
        self.assertEqual(daemon.lines("close"), [])
        story, _ = self.ask("why", client="pump-3")
        self.assertEqual(story["moments"][-1]["what"], "renewed")
        # They stay silent, so it holds again when that period is over.
        daemon.wait("brake", count=2)

    def test_where_it_does_not_hold_there_is_nothing_to_end(self):
        self.start()
        for action in ("confirm", "release"):
            self.assertEqual(self.ask("brake", action=action)[-1]["code"], "no_brake")
        answer = self.ask("brake", action="stop")[-1]
        self.assertEqual(answer["code"], "bad_request")
        self.assertIn("confirm, release", answer["message"])
        self.assertEqual(self.ask("brake")[-1]["code"], "bad_request")


if __name__ == "__main__":
    unittest.main(verbosity=2)
