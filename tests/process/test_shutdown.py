"""SIGTERM and SIGINT end the daemon cleanly, with any clients connected.  The harness checks the exit itself."""
import signal
import unittest

from harness import DaemonTest, frame, heartbeat

GOODBYE = {"type": "status", "status": "close", "reason": "shutdown"}


class Shutdown(DaemonTest):
    def test_who_asked_is_told_and_the_others_just_see_the_end(self):
        for number, name in [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")]:
            with self.subTest(name):
                daemon = self.start()
                asked, unasked, silent = (self.connect(daemon) for _ in range(3))
                asked.sync(id="asked", notify=True)
                unasked.sync()
                daemon.send_signal(number)
                self.assertEqual(asked.read_to_end(), [GOODBYE])
                self.assertEqual(unasked.read_to_end(), [])
                self.assertEqual(silent.read_to_end(), [])
                self.assertEqual([client.ended_by for client in (asked, unasked, silent)], ["eof"] * 3)
                for client in (asked, unasked, silent):
                    client.close()
                daemon.end()
                self.assertEqual(len(daemon.lines(f"{name}:")), 1)
                closed = daemon.lines("close", reason="shutdown", by="daemon")
                self.assertEqual([line["client"] for line in closed], ["asked", unasked.name, silent.name])
                self.assertEqual(daemon.lines()[-1].text, "ended")

    def test_with_nobody_connected(self):
        self.start().end()

    def test_straight_after_it_said_that_it_is_ready(self):
        for _ in range(10):
            self.start().end(signal.SIGINT)

    def test_a_second_signal_changes_nothing(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(notify=True)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait("SIGTERM:")
        daemon.send_signal(signal.SIGTERM)
        daemon.send_signal(signal.SIGINT)
        self.assertEqual(client.read_to_end(), [GOODBYE])
        client.close()
        daemon.end()
        self.assertEqual(len(daemon.lines("close", reason="shutdown")), 1)

    def test_a_client_that_neither_reads_nor_closes_does_not_hold_it_up(self):
        daemon = self.start()
        idle = self.connect(daemon)
        idle.sync(notify=True)
        stuffed = self.connect(daemon, receive_buffer=4096)
        stuffed.send(frame(heartbeat(notify=True)) + frame(heartbeat(ack=True)) * 1000)
        daemon.end()

    def test_a_client_that_goes_on_sending_does_not_hold_it_up(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(notify=True)
        daemon.send_signal(signal.SIGTERM)
        with self.assertRaises(OSError):
            while True:
                client.beat()
        daemon.end()

    def test_who_comes_while_it_ends_is_not_let_in(self):
        daemon = self.start()
        holding = self.connect(daemon)
        holding.sync(notify=True)
        daemon.send_signal(signal.SIGTERM)
        holding.read_until(**GOODBYE)
        with self.assertRaises(ConnectionRefusedError):
            self.connect(daemon)
        daemon.end()


if __name__ == "__main__":
    unittest.main(verbosity=2)
