"""A second connection with the same id is that client from then on."""
import unittest

from harness import DaemonTest, millis


class Takeover(DaemonTest):
    def test_the_newest_wins_and_the_old_one_is_told(self):
        daemon = self.start()
        old = self.connect(daemon)
        old.sync(id="pump-7", notify=True)
        new = self.connect(daemon)
        self.assertEqual(new.sync(id="pump-7")["status"], "alive")
        received = old.read_to_end()
        self.assertEqual([(got["status"], got["reason"]) for got in received], [("close", "superseded")])
        self.assertIn(new.name, received[0]["detail"])
        self.assertEqual(old.ended_by, "eof")
        line = daemon.wait("takeover", client="pump-7")
        self.assertEqual((line["peer"], line["previous_peer"], line["status"]), (new.name, old.name, "alive"))
        # Its heartbeats are those of the client, over both connections.
        new.sync()
        new.close()
        self.assertEqual(daemon.wait("close", client="pump-7")["heartbeats"], "3")

    def test_naming_itself_later_takes_over_as_well(self):
        daemon = self.start()
        old = self.connect(daemon)
        old.sync(id="pump-7")
        new = self.connect(daemon)
        new.sync()
        new.sync(id="pump-7")
        self.assert_ended_unsaid(old)

    def test_strikes_are_carried(self):
        daemon = self.start(tick="20ms", threshold=2, cursor=1000, recover=1000)
        old = self.connect(daemon)
        old.beat(id="pump-7")
        daemon.wait("strike", client="pump-7", count=2)
        self.connect(daemon).beat(id="pump-7")
        daemon.wait("takeover", client="pump-7")
        before = len(daemon.lines("strike", client="pump-7"))
        daemon.wait("strike", client="pump-7", count=before + 2)
        strikes = [int(line["strikes"]) for line in daemon.lines("strike", client="pump-7")]
        self.assertEqual(strikes, list(range(1, len(strikes) + 1)))

    def test_the_leave_and_its_clock_are_carried(self):
        daemon = self.start(tick="20ms", leave_timeout="500ms", log_level="debug")
        old = self.connect(daemon)
        self.assertEqual(old.sync(id="pump-7", status="leave")["status"], "leave")
        witness = self.connect(daemon)
        daemon.wait("strike", client=witness.name)  # five ticks have passed since
        new = self.connect(daemon)
        new.beat(id="pump-7", notify=True)
        received = new.read_to_end()
        self.assertEqual([got["type"] for got in received], ["welcome", "status", "status"])
        self.assertEqual((received[1]["status"], received[1]["reason"]), ("leave", "declared"))
        self.assertEqual((received[2]["status"], received[2]["reason"]), ("close", "away"))
        # Accepted five ticks after the leave began, so it did not live to see the whole of it.
        self.assertLessEqual(millis(daemon.wait("close", client="pump-7")["connected"]), 500 - 5 * 20)

    def test_a_fight_is_told_once_as_a_warning_with_both_addresses(self):
        daemon = self.start()
        rivals = []
        for _ in range(7):
            rivals.append(self.connect(daemon))
            rivals[-1].sync(id="twin")
        fight = daemon.wait("fight", client="twin")
        self.assertEqual((fight.level, fight["peer"], fight["previous_peer"]),
                         ("warning", rivals[3].name, rivals[2].name))
        daemon.end()
        self.assertEqual(len(daemon.lines("fight")), 1)
        self.assertEqual(len(daemon.lines("takeover")), 2, "takeovers of a fight that is reported are for the level debug")


if __name__ == "__main__":
    unittest.main(verbosity=2)
