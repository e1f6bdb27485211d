"""The time in which the daemon itself was stopped is charged to no client."""
import time
import unittest

from harness import Beating, DaemonTest, millis

TICK_MS = 100
WINDOW_MS = 15 * TICK_MS  # of silence, until a leave
LEAVE_TIMEOUT_MS = 300


class Stall(DaemonTest):
    def setUp(self):
        self.daemon = self.start(tick=f"{TICK_MS}ms", leave_timeout=f"{LEAVE_TIMEOUT_MS}ms", log_level="debug")

    def stop_for(self, millis_):
        self.daemon.stop_running()
        time.sleep(millis_ / 1000)  # the stop itself, not a wait for something
        self.daemon.go_on()

    def assert_listened_to_exactly(self, client, connecting_at):
        """Judged after exactly its window of listening, and so later by what the daemon did not listen."""
        left = self.daemon.wait("leave", client=client.name)
        passed_ms = (time.monotonic() - connecting_at) * 1000
        self.assertEqual(millis(left["silent"]), WINDOW_MS)
        stalled_ms = max(millis(line["stalled"]) for line in self.daemon.lines("stall"))
        self.assertGreaterEqual(passed_ms + 5, WINDOW_MS + stalled_ms)  # each figure is rounded
        closed = self.daemon.wait("close", client=client.name, reason="silent")
        self.assertEqual(millis(closed["connected"]), WINDOW_MS + LEAVE_TIMEOUT_MS)

    def test_a_stop_longer_than_the_whole_leave_window_moves_no_steady_client(self):
        steady = [self.connect(self.daemon) for _ in range(10)]
        with Beating(steady, TICK_MS / 2000):
            connecting_at = time.monotonic()
            silent = self.connect(self.daemon)
            for client in steady:
                self.daemon.wait("joined", client=client.name)
            steady.append(self.connect(self.daemon))
            steady[-1].sync()  # the silent one before it has been accepted
            self.stop_for(WINDOW_MS + LEAVE_TIMEOUT_MS + 500)
            self.assertEqual(self.daemon.wait_for_stall(WINDOW_MS).level, "warning")
            self.assert_listened_to_exactly(silent, connecting_at)
        for client in steady:
            self.assertEqual(client.sync()["status"], "alive")
            client.close()
        self.daemon.end()
        self.assertEqual([line["client"] for line in self.daemon.lines("leave")], [silent.name])

    def test_a_connection_that_waited_through_the_stop_is_judged_from_its_accept(self):
        self.daemon.stop_running()
        client = self.connect(self.daemon)
        client.beat(notify=True)
        time.sleep((WINDOW_MS + LEAVE_TIMEOUT_MS) / 1000)
        self.daemon.go_on()
        self.assertEqual(client.read_frame()["type"], "welcome")
        self.assertEqual(client.read_frame()["reason"], "silent")
        closed = self.daemon.wait("close", client=client.name, reason="silent")
        # It was heard in tick 0 at the earliest; the stop before that is no part of its time, nor of a tick.
        left_ms = millis(closed["connected"]) - LEAVE_TIMEOUT_MS
        self.assertGreaterEqual(left_ms, TICK_MS + WINDOW_MS)
        self.assertEqual(left_ms % TICK_MS, 0)

    def test_short_stops_do_not_add_up_against_anybody(self):
        steady = [self.connect(self.daemon) for _ in range(3)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                self.daemon.wait("joined", client=client.name)
            for _ in range(8):
                stalls = len(self.daemon.lines("stall"))
                self.stop_for(3 * TICK_MS)
                self.daemon.wait("stall", count=stalls + 1)
        for client in steady:
            self.assertEqual(client.sync()["status"], "alive")
        self.assertEqual(self.daemon.lines("leave"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
