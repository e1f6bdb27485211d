"""Peers that do not speak, stop in the middle, beat absurdly fast, or come in crowds: they get their reason, and
those beside them notice nothing."""
import unittest

from harness import Beating, Client, DaemonTest, frame, heartbeat, wait_until

BEAT = frame(heartbeat())
# Three ticks are the least that hello_timeout can be.
QUICK = {"tick": "100ms", "threshold": 1000, "leave_timeout": "1h"}


class NeverSpeaks(DaemonTest):
    def test_a_connection_without_a_heartbeat_is_closed_as_never_spoke(self):
        daemon = self.start(hello_timeout="300ms", **QUICK)
        silent = self.connect(daemon)
        silent.send(b"\0\0")
        self.assert_ended_unsaid(silent)
        closed = daemon.wait("close", client=silent.name)
        self.assertEqual((closed["reason"], closed["by"], closed.level), ("never_spoke", "daemon", "warning"))
        self.assertEqual(closed["connected"], "0.300s")

    def test_one_that_brings_no_byte_is_a_counter_and_a_debug_line_unless_the_daemon_closes_it(self):
        for debug in (False, True):
            with self.subTest(debug=debug):
                daemon = self.start(hello_timeout="300ms", debug=debug, **QUICK)
                probes = [self.connect(daemon) for _ in range(3)]
                self.connect(daemon).sync()  # those before it have been accepted
                probes[0].close()
                probes[1].reset()
                self.assert_ended_unsaid(probes[2])
                wait_until(lambda: daemon.ask("status")["totals"]["probes"] == 3, "three probes are counted")
                closes = daemon.ask("status")["closes"]
                self.assertEqual(sum(closes.values()), 3)
                self.assertLessEqual(set(closes), {"never_spoke", "peer_closed", "reset"})
                self.assertIn("never_spoke", closes)
                daemon.end()
                lines = [line for line in daemon.lines("close") if line["reason"] != "shutdown"]
                self.assertEqual(sorted(line.level for line in lines), ["debug", "debug", "info"] if debug else ["info"])
                self.assertEqual([line["client"] for line in lines if line.level == "info"], [probes[2].name])

    def test_one_that_beats_stays_however_long_after_hello_timeout(self):
        daemon = self.start(hello_timeout="300ms", **QUICK)
        speaker = self.connect(daemon)
        speaker.sync()
        silent = self.connect(daemon)  # later than the speaker: when it is closed, the speaker's time is over
        self.assert_ended_unsaid(silent)
        self.assertEqual(speaker.sync()["status"], "alive")


class LeavesAFrameUnfinished(DaemonTest):
    def test_half_a_frame_ends_its_connection_as_frame_timeout(self):
        daemon = self.start(frame_timeout="200ms")
        neighbour = self.connect(daemon)
        neighbour.sync()
        for cut in (1, 3, 4, 5, len(BEAT) - 1):
            with self.subTest(cut=cut):
                peer = self.connect(daemon)
                peer.sync(notify=True)
                peer.send(BEAT[:cut])
                self.assertEqual(peer.read_to_end()[-1]["reason"], "frame_timeout")
                closed = daemon.wait("close", client=peer.name)
                self.assertEqual((closed["reason"], closed["by"], closed.level),
                                 ("frame_timeout", "daemon", "warning"))
        self.assertEqual(neighbour.sync()["status"], "alive")

    def test_bytes_that_dribble_in_are_no_sign_of_life(self):
        daemon = self.start(frame_timeout="0s", **{**QUICK, "threshold": 2, "cursor": 1})
        peer = self.connect(daemon)
        peer.sync(notify=True)
        for byte in BEAT[:-1]:
            peer.send(bytes([byte]))
            if daemon.lines("leave", client=peer.name):
                break
        self.assertEqual(daemon.wait("leave", client=peer.name)["reason"], "silent")


class BeatsTooFast(DaemonTest):
    def flood(self, client, until):
        """Sends heartbeats as fast as they are taken, until it is so."""
        client.socket.settimeout(0.05)
        many = BEAT * 500
        sent = 0
        try:
            while not until():
                try:
                    sent += client.socket.send(many[sent % len(BEAT):])
                except TimeoutError:
                    pass
        finally:
            client.socket.settimeout(30)
        return sent

    def test_it_is_told_once_and_read_slower_and_those_beside_it_notice_nothing(self):
        daemon = self.start(tick="200ms", max_rate=50)
        neighbour = self.connect(daemon)
        neighbour.sync()
        fast = self.connect(daemon)
        with Beating([neighbour], 0.05):
            # So much that neither the kernel nor the daemon can have it in a buffer: it must have been made to wait.
            self.flood(fast, lambda: bool(daemon.lines("fast_beats", client=fast.name)))
            record = daemon.wait("fast_beats", client=fast.name)
            self.assertEqual(record.level, "warning")
            before = daemon.ask("status")
            neighbours = self.connect(daemon)
            # The flood goes on for as long as another client needs to get a hundred answers.
            answers = iter(range(100))

            def done():
                try:
                    next(answers)
                except StopIteration:
                    return True
                return neighbours.sync() is None

            self.flood(fast, done)
        after = daemon.ask("status")
        self.assertEqual(after["totals"]["limited"], 1)
        self.assertEqual(after["closes"], before["closes"])
        self.assertEqual(len(daemon.lines("fast_beats")), 1)
        # A read of 16 KiB at the most before it was noticed, then one of 1 KiB in each half of a tick at the least.
        seconds = (after["uptime_ms"] - before["uptime_ms"]) / 1000
        read = after["heartbeats"]["total"] - before["heartbeats"]["total"]
        self.assertLess(read, 16 * 1024 // len(BEAT) + 500 + 50 * seconds
                        + (seconds / 0.1 + 1) * (1024 // len(BEAT) + 1) + seconds / 0.05 + 200)
        self.assertEqual(neighbour.sync()["status"], "alive")
        self.assertEqual(daemon.lines("strike"), [])

    def test_nothing_that_it_sent_is_dropped(self):
        daemon = self.start(tick="50ms", max_rate=1000)
        fast = self.connect(daemon)
        fast.send(BEAT * 12000)
        self.assertEqual(fast.sync()["type"], "ack")
        self.assertEqual(daemon.ask("status")["heartbeats"]["total"], 12001)
        self.assertEqual(daemon.ask("status")["totals"]["limited"], 1)

    def test_one_that_is_not_read_can_still_be_told_that_the_daemon_ends(self):
        daemon = self.start(tick="1d", leave_timeout="1d", max_rate=1)
        fast = self.connect(daemon)
        fast.beat(notify=True)
        fast.send(BEAT * 300)
        daemon.wait("fast_beats", client=fast.name)
        daemon.end()
        self.assertEqual(fast.read_to_end()[-1]["reason"], "shutdown")


class ManyFromOneAddress(DaemonTest):
    def test_at_the_maximum_the_next_is_refused_and_another_address_is_not(self):
        daemon = self.start(max_clients_per_ip=2)
        inside = [self.connect(daemon) for _ in range(2)]
        for client in inside:
            client.sync()
        outside = self.connect(daemon)  # it is let in until its first heartbeat
        outside.beat()
        self.assertEqual(outside.read_to_end(), [])
        line = daemon.wait("close", client=outside.name)
        self.assertEqual((line["reason"], line.level), ("limit", "warning"))
        self.assertIn("2 clients from 127.0.0.1 are connected", line.detail)
        self.assertIn("max_clients_per_ip", line.detail)
        other = self.connect(daemon, source="127.0.0.2")
        self.assertEqual(other.sync()["status"], "alive")
        for client in inside:
            self.assertEqual(client.sync()["status"], "alive")
        inside[0].close()
        daemon.wait("close", client=inside[0].name)
        self.assertEqual(self.connect(daemon).sync()["status"], "alive")
        status = daemon.ask("status")
        self.assertEqual((status["refused"], status["totals"]["refused"]), ({"max_clients_per_ip": 1}, 1))


class ConnectAsFastAsTheyCan(DaemonTest):
    def test_listening_pauses_nobody_is_refused_and_it_goes_on_by_itself(self):
        daemon = self.start(accept_rate=20)
        neighbour = self.connect(daemon)
        neighbour.sync()
        daemon.stop_running()
        crowd = [self.connect(daemon) for _ in range(60)]  # all there at once: for 40 there are permits, 20 wait
        daemon.go_on()
        daemon.wait("accept_paused")
        self.assertEqual(neighbour.sync()["status"], "alive")
        for client in crowd:
            self.assertEqual(client.sync()["status"], "alive")
        accepting = daemon.ask("status")["accepting"]
        self.assertEqual(accepting["rate"], 20)
        self.assertGreaterEqual(accepting["pauses"], 1)
        self.assertGreaterEqual(accepting["paused_ms"], 50)
        self.assertEqual(len(daemon.lines("accept_paused")), 1)
        self.assertEqual(daemon.ask("status")["totals"]["refused"], 0)

    def test_while_it_pauses_the_daemon_does_not_spin(self):
        daemon = self.start(accept_rate=1)
        for _ in range(2):
            self.connect(daemon).sync()
        waiting = self.connect(daemon)
        wait_until(lambda: daemon.ask("status")["accepting"]["paused"], "listening pauses")
        waiting.sync()  # a second later
        # A loop that spun through that second would have used most of it.
        self.assertLess(daemon.processor_s(), 0.5)

    def test_a_crowd_that_waits_when_the_daemon_ends_is_let_go(self):
        daemon = self.start(accept_rate=1)
        crowd = [self.connect(daemon) for _ in range(10)]
        wait_until(lambda: daemon.ask("status")["accepting"]["paused"], "listening pauses")
        daemon.end()
        for client in crowd:
            self.assert_ended_unsaid(client)


if __name__ == "__main__":
    unittest.main(verbosity=2)
