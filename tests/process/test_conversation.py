"""What a client may say of itself, which messages it may ask for, and every frame that the daemon answers."""
import unittest

from harness import Beating, DaemonTest, millis


class Answers(DaemonTest):
    def test_an_ack_carries_the_seq_and_the_status(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.beat(ack=True, seq=7)
        client.beat(ack=True)
        client.beat(seq=8)
        client.beat(ack=False, seq=9)
        client.beat(ack=True, seq=0, status="leave")
        client.beat(ack=True, seq=11, status="live")
        client.beat(ack=True, seq=12, status="close")
        self.assertEqual(client.read_to_end(), [
            {"type": "ack", "seq": 7, "status": "alive"},
            {"type": "ack", "status": "alive"},
            {"type": "ack", "seq": 0, "status": "leave"},
            {"type": "ack", "seq": 11, "status": "leave"},
            {"type": "ack", "seq": 12, "status": "close"},
        ])
        self.assertEqual(daemon.wait("close", client=client.name)["reason"], "goodbye")

    def test_the_first_notify_is_answered_once_with_the_settings_in_force(self):
        daemon = self.start(tick="7s", threshold=4, cursor=2, recover=6, leave_timeout="90s")
        client = self.connect(daemon)
        client.sync()
        client.beat(notify=True)
        client.sync(notify=True)
        self.assertEqual([got for got in client.frames if got["type"] != "ack"], [
            {"type": "welcome", "tick_ms": 7000, "threshold": 4, "cursor": 2, "recover": 6,
             "leave_timeout_ms": 90000, "max_frame": 4096}])

    def test_notify_is_not_taken_back(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.beat(notify=True)
        client.beat(notify=False)
        client.beat(status="leave")
        client.read_until(type="status", status="leave", reason="declared")

    def test_live_is_a_synonym_of_alive(self):
        daemon = self.start(log_level="debug")
        client = self.connect(daemon)
        self.assertEqual(client.sync(status="live")["status"], "alive")
        self.assertEqual(daemon.wait("heartbeat", client=client.name)["declared"], "alive")

    def test_who_did_not_ask_is_told_nothing_whatever_happens_to_it(self):
        daemon = self.start(tick="20ms", leave_timeout="20ms")
        client = self.connect(daemon)
        client.beat(status="leave")
        self.assert_ended_unsaid(client)


class Declared(DaemonTest):
    def test_a_goodbye_closes_at_once(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.beat(notify=True)
        client.beat(status="close")
        client.beat(ack=True)  # after the goodbye: not heard
        self.assertEqual(client.read_to_end()[1:], [{"type": "status", "status": "close", "reason": "goodbye"}])
        self.assertEqual(client.ended_by, "eof")
        closed = daemon.wait("close", client=client.name)
        self.assertEqual((closed["reason"], closed["by"], closed["heartbeats"], closed.level),
                         ("goodbye", "client", "2", "info"))

    def test_a_leave_that_lasts_is_closed_as_away_exactly_leave_timeout_later(self):
        daemon = self.start(tick="20ms", leave_timeout="130ms")
        client = self.connect(daemon)
        client.beat(id="away", notify=True, status="leave", note="disk is being replaced")
        self.assertEqual(client.read_to_end()[1:], [
            {"type": "status", "status": "leave", "reason": "declared"},
            {"type": "status", "status": "close", "reason": "away"}])
        left = daemon.wait("leave", client="away")
        self.assertEqual((left["from"], left["to"], left["reason"]), ("alive", "leave", "declared"))
        self.assertEqual(left.detail, "\"disk is being replaced\"")
        closed = daemon.wait("close", client="away")
        self.assertEqual((closed["from"], closed["reason"], closed["by"]), ("leave", "away", "daemon"))
        # The leave began with the only heartbeat.
        self.assertEqual(millis(closed["silent"]), 130)

    def test_heartbeats_alone_do_not_postpone_the_close(self):
        daemon = self.start(tick="20ms", recover=1000, leave_timeout="300ms")
        client = self.connect(daemon)
        client.beat(notify=True, status="leave")
        with Beating([client], 0.01):
            client.read_until(type="status", status="close", reason="away")
        self.assertGreater(int(daemon.wait("close", client=client.name)["heartbeats"]), 1)

    def test_steady_again_returns_to_alive(self):
        daemon = self.start(tick="20ms", recover=4, leave_timeout="1h")
        client = self.connect(daemon)
        client.beat(notify=True, status="leave")
        client.read_until(type="status", status="leave", reason="declared")
        with Beating([client], 0.005):
            self.assertEqual(client.read_frame(), {"type": "status", "status": "alive", "reason": "steady"})
        returned = daemon.wait("return", client=client.name)
        self.assertEqual((returned["from"], returned["to"], returned["reason"], returned["steady"]),
                         ("leave", "alive", "steady", "4"))

    def test_silence_is_told_to_who_asked(self):
        daemon = self.start(tick="20ms", threshold=2, cursor=2, leave_timeout="100ms")
        client = self.connect(daemon)
        client.beat(notify=True, id="quiet")
        self.assertEqual(client.read_to_end()[1:], [
            {"type": "status", "status": "leave", "reason": "silent"},
            {"type": "status", "status": "close", "reason": "silent"}])
        self.assertEqual([line["strikes"] for line in daemon.lines("strike", client="quiet")], ["1", "2"])

    def test_who_never_said_a_word_is_judged_from_its_accept(self):
        daemon = self.start(tick="20ms", leave_timeout="50ms", log_level="debug")
        client = self.connect(daemon)
        self.assert_ended_unsaid(client)
        self.assertEqual(millis(daemon.wait("leave", client=client.name)["silent"]), 15 * 20)
        closed = daemon.wait("close", client=client.name, reason="silent")
        self.assertEqual(millis(closed["connected"]), 15 * 20 + 50)
        self.assertEqual(millis(closed["silent"]), 15 * 20 + 50)


class Remembered(DaemonTest):
    def leave_and_close(self, daemon, how):
        client = self.connect(daemon)
        client.sync(id="pump-7", status="leave")
        how(client)
        daemon.wait("close", client="pump-7")

    def test_who_closed_in_leave_comes_back_in_leave_and_earns_alive(self):
        daemon = self.start(tick="20ms", recover=3, leave_timeout="1h")
        self.leave_and_close(daemon, lambda client: client.close())
        client = self.connect(daemon)
        client.beat(id="pump-7", notify=True, ack=True)
        self.assertEqual(client.read_frame()["type"], "welcome")
        self.assertEqual(client.read_frame(), {"type": "status", "status": "leave", "reason": "remembered"})
        self.assertEqual(client.read_frame(), {"type": "ack", "status": "leave"})
        left = daemon.wait("leave", client="pump-7", reason="remembered")
        self.assertEqual((left["from"], left["to"]), ("alive", "leave"))
        with Beating([client], 0.005):
            self.assertEqual(client.read_frame(), {"type": "status", "status": "alive", "reason": "steady"})

    def test_a_goodbye_out_of_a_leave_is_remembered_too(self):
        daemon = self.start()
        self.leave_and_close(daemon, lambda client: client.beat(status="close"))
        self.assertEqual(self.connect(daemon).sync(id="pump-7")["status"], "leave")

    def test_the_new_leave_has_its_whole_period(self):
        daemon = self.start(tick="20ms", leave_timeout="150ms")
        self.leave_and_close(daemon, lambda client: client.close())
        client = self.connect(daemon)
        client.beat(id="pump-7", notify=True)
        client.read_until(type="status", status="close", reason="away")
        self.assertEqual(millis(daemon.wait("close", client="pump-7", reason="away")["silent"]), 150)

    def test_who_closed_while_alive_comes_back_alive(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7")
        client.close()
        daemon.wait("close", client="pump-7")
        self.assertEqual(self.connect(daemon).sync(id="pump-7")["status"], "alive")


if __name__ == "__main__":
    unittest.main(verbosity=2)
