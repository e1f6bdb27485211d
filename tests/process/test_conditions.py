"""Connections that never became a client are reported by their address, and what lasts is one condition."""
import time
import unittest

from harness import DaemonTest, frame


class Conditions(DaemonTest):
    HEALTH_CHECK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    def refuse(self, daemon, sent):
        client = self.connect(daemon)
        client.send(sent)
        client.read_to_end()
        return client

    def test_an_address_whose_connections_were_refused_has_a_story(self):
        daemon = self.start()
        last = [self.refuse(daemon, self.HEALTH_CHECK) for _ in range(3)][-1]
        for name in ("127.0.0.1", last.name):
            story = daemon.ask("why", client=name)
            self.assertEqual((story["type"], story["connected_now"]), ("story", False))
            self.assertEqual((story["refused"]["count"], story["refused"]["last_peer"]), (3, last.name))
            self.assertIn("this is an HTTP request", story["verdict"])
        self.assertEqual(daemon.ask("why", client="127.0.0.2")["code"], "no_such_client")

    def test_a_connection_without_a_heartbeat_is_told_as_that(self):
        daemon = self.start()
        self.refuse(daemon, frame("{"))
        client = self.connect(daemon)
        daemon_knows = self.connect(daemon)
        daemon_knows.sync(id="pump-7")  # those before it have been accepted
        story = daemon.ask("why", client=client.name)
        self.assertIn("connected, and has not sent a heartbeat", story["verdict"])
        self.assertEqual(story["refused"]["count"], 1)
        self.assertEqual(daemon.ask("why", client=daemon_knows.name)["client"]["name"], "pump-7")

    def test_the_same_refusal_again_and_again_is_one_line(self):
        daemon = self.start()
        for _ in range(10):
            self.refuse(daemon, self.HEALTH_CHECK)
        began = daemon.wait("refused_again", client="127.0.0.1")
        self.assertEqual((began["state"], began["count"], began.level), ("began", "3", "warning"))
        (lasting,) = daemon.ask("status")["conditions"]
        self.assertEqual((lasting["kind"], lasting["subject"], lasting["count"]), ("refused_again", "127.0.0.1", 10))
        other = self.refuse(daemon, b"SSH-2.0-OpenSSH_9.2p1\r\n")
        self.assertIn("this is SSH", daemon.wait("close", client=other.name).detail)
        daemon.end()
        self.assertEqual(len(daemon.lines("refused_again")), 1)
        self.assertEqual(len(daemon.lines("close")), 3)  # two health checks, and the other mistake

    def test_clients_slower_than_the_tick_are_told_how_slow(self):
        daemon = self.start(tick="20ms", threshold=60, leave_timeout="1h")
        client = self.connect(daemon)
        for _ in range(10):
            client.sync(id="slow")
            time.sleep(0.2)  # its interval
        daemon.wait("slow_beats", client="slow")
        story = daemon.ask("why", client="slow")
        self.assertRegex(story["verdict"], r"; it beats every \d+ ms, which is .+ ticks")
        self.assertEqual(daemon.ask("status")["conditions"][0]["kind"], "slow_beats")


if __name__ == "__main__":
    unittest.main()
