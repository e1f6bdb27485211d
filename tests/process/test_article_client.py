"""The article's client, its logic written anew: two json.dumps, a "!i" prefix, and nothing ever read."""
import json
import os
import struct
import threading
import unittest

from harness import Client, DaemonTest, millis, wait_until


class ArticleClient:
    """Beats at every interval until it cannot any more."""

    def __init__(self, daemon, interval_s):
        self.connection = Client(daemon.address)
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _loop(self):
        while not self._stop.is_set():
            data = json.dumps({"ip": "192.168.1.105", "status": "alive", "pid": os.getpid()})
            buffer = json.dumps(data)
            try:
                self.connection.send(struct.pack("!i", len(buffer)) + buffer.encode("utf-8"))
            except OSError:
                return
            self._stop.wait(self._interval_s)


class TheArticlesClient(DaemonTest):
    def run_clients(self, daemon, count, interval_s):
        clients = [ArticleClient(daemon, interval_s) for _ in range(count)]
        for client in clients:
            self.addCleanup(client.connection.close)
            self.addCleanup(client.stop)
        return clients

    def test_stays_alive_and_is_never_sent_a_byte(self):
        daemon = self.start(tick="100ms")
        clients = self.run_clients(daemon, 3, 0.05)
        watcher = self.connect(daemon)
        watcher.beat(id="watcher")
        # Beyond the 15 ticks after which a silent client is in leave, by the daemon's own clock.
        daemon.wait("leave", client="watcher", reason="silent")
        for client in clients:
            client.stop()
            self.assertFalse(client.connection.has_bytes())
            client.connection.half_close()
            self.assert_ended_unsaid(client.connection)
        daemon.end()
        for client in clients:
            joined = daemon.wait("joined", client=client.connection.name)
            self.assertEqual((joined["ip"], joined["pid"]), ("192.168.1.105", str(os.getpid())))
            closed = daemon.wait("close", client=client.connection.name)
            self.assertEqual((closed["from"], closed["reason"]), ("alive", "peer_closed"))
            self.assertGreater(int(closed["heartbeats"]), 5)

    def test_beating_every_ten_ticks_leaves_after_eighteen_and_is_kicked_leave_timeout_later(self):
        tick_ms, leave_timeout_ms = 100, 900
        # The rule gives 18 ticks where the first heartbeat is heard in tick 0 and the second in ticks 7 to 10.
        # A busy machine may make one late; the daemon's figures tell which, and one client in time will do.
        for _ in range(5):
            daemon = self.start(tick=f"{tick_ms}ms", leave_timeout=f"{leave_timeout_ms}ms")
            clients = self.run_clients(daemon, 4, 10 * tick_ms / 1000)
            in_time = 0
            for client in clients:
                name = client.connection.name
                strike = millis(daemon.wait("strike", client=name)["silent"])
                left = daemon.wait("leave", client=name)
                closed = daemon.wait("close", client=name)
                self.assertEqual((left["from"], left["to"], left["reason"]), ("alive", "leave", "silent"))
                self.assertEqual((left["silence"], left["strikes"]), ("5", "3"))
                self.assertEqual((closed["from"], closed["reason"], closed["by"]), ("leave", "silent", "daemon"))
                left_ms = millis(closed["connected"]) - leave_timeout_ms
                self.assertEqual(left_ms % tick_ms, 0, "a leave is at the end of a tick")
                second_beat = (left_ms - millis(left["silent"])) // tick_ms
                if strike > 5 * tick_ms and 7 <= second_beat <= 10:
                    in_time += 1
                    self.assertEqual(left_ms, 18 * tick_ms)
                self.assert_ended_unsaid(client.connection)
            daemon.end()
            if in_time > 0:
                return
        self.fail("the machine let no client beat in time")

    def test_beating_slower_than_the_tick_is_told_to_the_operator_once(self):
        daemon = self.start(tick="100ms", log_level="debug")
        self.run_clients(daemon, 3, 0.3)
        slow = daemon.wait("slow_beats")
        self.assertEqual(slow.level, "warning")
        self.assertGreater(millis(slow["interval"]), 110)
        self.assertIn("set the tick", slow.detail)
        wait_until(lambda: len(daemon.lines("heartbeat")) > 25, "more of the same")
        daemon.end()
        self.assertEqual(len(daemon.lines("slow_beats")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
