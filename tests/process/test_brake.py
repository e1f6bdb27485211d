"""The brake on mass closing, on the real daemon: as log lines, in the feed, in status and why, and its end."""
import unittest

import harness
from harness import DaemonTest, millis

TICK_MS = 50
WINDOW_MS = 3 * TICK_MS  # of silence, until a leave
FLEET = 20  # the least that is a mass


class Brake(DaemonTest):
    def setUp(self):
        self.daemon = self.start(tick=f"{TICK_MS}ms", threshold=3, cursor=1, recover=2, leave_timeout="3s",
                                 brake_pause="1s")

    def silent_fleet(self, count):
        clients = []
        for number in range(count):
            clients.append(self.connect(self.daemon))
            clients[-1].beat(id=f"pump-{number}", notify=True)
        return clients

    def test_a_fleet_that_falls_silent_at_once_is_held_and_closed_when_the_pause_is_over(self):
        self.silent_fleet(FLEET)
        brake = self.daemon.wait("brake")
        self.assertEqual(brake.level, "warning")
        self.assertEqual((brake["concerned"], brake["clients"]), (str(FLEET), str(FLEET)))
        self.assertEqual(brake["subnet"], "127.0.0.1")
        host, port = self.daemon.address
        self.assertEqual(brake["listener"], f"{host}:{port}")
        self.assertEqual(brake["pause"], "1.000s")
        self.assertEqual(self.daemon.lines("close"), [])
        end = self.daemon.wait("brake_end")
        self.assertEqual((end["ended"], end["held"]), ("ran_out", str(FLEET)))
        closes = [self.daemon.wait("close", count=number + 1) for number in range(FLEET)]
        # All at one instant, at the end of the pause: in leave for its whole timeout, and then held.
        for line in closes:
            self.assertEqual(line["reason"], "silent")
            self.assertIn("by the brake on mass closing", line.detail)
        lengths = [millis(line["silent"]) - WINDOW_MS - 3000 for line in closes]
        self.assertTrue(all(0 <= held <= 1000 + TICK_MS for held in lengths), lengths)
        self.assertGreaterEqual(max(lengths), 1000)

    def test_one_client_fewer_is_closed_as_ever(self):
        self.silent_fleet(FLEET - 1)
        self.daemon.wait("close", count=FLEET - 1)
        self.assertEqual(self.daemon.lines("brake"), [])

    def test_a_client_that_is_heard_in_the_pause_returns_by_the_rule(self):
        clients = self.silent_fleet(FLEET)
        self.daemon.wait("brake")
        with harness.Beating(clients[:1], TICK_MS / 2000):
            self.daemon.wait("return", client="pump-0")
            self.daemon.wait("close", count=FLEET - 1)
        self.assertEqual(self.daemon.lines("close", client="pump-0"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
