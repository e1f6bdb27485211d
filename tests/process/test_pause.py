"""The pause between two turns of the loop: that there is one, when there is none, and that no verdict moves by it."""
import time
import unittest

from harness import Beating, DaemonTest, millis

TICK_MS = 2000  # a 200th of it is a pause of 10 ms
CLIENTS = 40
BEAT_S = 0.01  # at 4000 heartbeats a second of all clients, forty in the longest pause


class Pause(DaemonTest):
    def start_fleet(self, **flags):
        self.daemon = self.start(tick=f"{TICK_MS}ms", **flags)
        return [self.connect(self.daemon) for _ in range(CLIENTS)]

    def pauses(self):
        """Asking ends the pauses for a moment, so this is not to be asked again and again."""
        return self.daemon.ask("status")["pauses"]

    def beat_in_turn(self, clients):
        for _ in range(100):
            for client in clients:
                client.beat()
            time.sleep(BEAT_S)  # the rate itself, not a wait for something
        clients[0].sync()

    def test_a_fleet_is_taken_in_pauses_and_the_silent_judged_at_their_instants(self):
        clients = self.start_fleet(threshold=1, cursor=1, leave_timeout=f"{TICK_MS}ms")
        with Beating(clients, BEAT_S):
            silent = self.connect(self.daemon)
            silent.sync()
            closed = self.daemon.wait("close", client=silent.name, reason="silent")
            # The tick of its heartbeat, one without, and the leave.
            self.assertEqual(millis(closed["connected"]), 3 * TICK_MS)
            pauses = self.pauses()
        self.assertEqual(pauses["longest_ms"], TICK_MS // 200)
        self.assertGreater(pauses["count"], 10)
        for client in clients:
            client.close()
        self.daemon.end()
        self.assertEqual([line["client"] for line in self.daemon.lines("leave")], [silent.name])

    def test_there_is_none_when_it_is_turned_off(self):
        self.beat_in_turn(self.start_fleet(pause_max="0ms"))
        self.assertEqual(self.pauses(), {"longest_ms": 0, "count": 0, "total_ms": 0})

    def test_there_is_none_where_nothing_would_be_gained(self):
        self.beat_in_turn(self.start_fleet()[:2])
        self.assertEqual(self.pauses()["count"], 0)


if __name__ == "__main__":
    unittest.main()
