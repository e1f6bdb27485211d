"""How a connection may end other than by the rule, and how many there may be."""
import re
import unittest

from harness import Client, DaemonTest, frame, heartbeat, wait_until

ANSWERED = frame(heartbeat(ack=True, seq=1))


class PeerEnds(DaemonTest):
    def test_a_reset_in_the_middle_of_a_frame(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync()
        # Both there before the daemon reads: then libuv 1.44 by itself calls it the end of the stream.
        daemon.stop_running()
        client.send(ANSWERED[:-3])
        client.reset()
        daemon.go_on()
        closed = daemon.wait("close", client=client.name)
        self.assertEqual((closed["reason"], closed["by"], closed["heartbeats"]), ("reset", "client", "1"))

    def test_a_reset_of_an_idle_connection(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync()
        client.reset()
        self.assertEqual(daemon.wait("close", client=client.name)["reason"], "reset")

    def test_a_half_close_ends_it_after_all_before_it_was_heard(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.send(frame(heartbeat(notify=True)) + ANSWERED)
        client.half_close()
        self.assertEqual(client.read_to_end()[1:], [
            {"type": "ack", "seq": 1, "status": "alive"},
            {"type": "status", "status": "close", "reason": "peer_closed"}])
        closed = daemon.wait("close", client=client.name)
        self.assertEqual((closed["reason"], closed["by"], closed["heartbeats"]), ("peer_closed", "client", "2"))

    def test_a_connection_that_its_peer_ended_is_let_go_at_once(self):
        daemon = self.start()
        neighbour = self.connect(daemon)
        neighbour.sync()
        before = daemon.descriptors()
        for end in (Client.close, Client.reset):
            client = self.connect(daemon)
            client.sync(notify=True)  # got a message, and might need time to read it
            end(client)
            daemon.wait("close", client=client.name)
            neighbour.sync()
            self.assertEqual(daemon.descriptors(), before)

    def test_a_probe_that_says_nothing_is_not_worth_a_line_at_info(self):
        daemon = self.start()
        probe = self.connect(daemon)
        probe.half_close()
        self.assert_ended_unsaid(probe)
        daemon.end()
        self.assertEqual(daemon.lines("close"), [])

    def test_a_peer_that_goes_while_it_is_written_to_takes_nobody_along(self):
        daemon = self.start()
        neighbour = self.connect(daemon)
        neighbour.sync()
        clients = [self.connect(daemon) for _ in range(5)]
        for client in clients:
            client.sync(notify=True)
        # With the daemon stopped, the requests and the reset after them are there before the first answer:
        # the first write finds the reset, and a second one would raise SIGPIPE.
        daemon.stop_running()
        for client in clients:
            client.send(ANSWERED * 50)
            client.reset()
        daemon.go_on()
        for client in clients:
            daemon.wait("close", client=client.name)
        self.assertEqual(neighbour.sync()["status"], "alive")


class UnreadAnswers(DaemonTest):
    def test_a_peer_that_asks_and_never_reads_is_closed_as_limit_and_holds_no_memory(self):
        # Freed memory that the address sanitizer keeps aside would count.
        quarantine = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        daemon = self.start(environment={"ASAN_OPTIONS": quarantine}, max_rate=0)
        neighbour = self.connect(daemon)
        neighbour.sync()
        before_kib = daemon.resident_kib()
        many = ANSWERED * 1000
        sent = 0
        peers = [self.connect(daemon, receive_buffer=4096) for _ in range(2)]
        for peer in peers:
            peer.send(frame(heartbeat(notify=True)))
            try:
                # The kernel's send buffer (a few MB) takes the answers first.
                while sent < 200e6 and not daemon.lines("close", client=peer.name):
                    peer.send(many)
                    sent += len(many)
            except OSError:
                pass
            closed = daemon.wait("close", client=peer.name)
            self.assertEqual((closed["reason"], closed["by"], closed.level), ("limit", "daemon", "warning"))
        self.assertLess(daemon.resident_kib() - before_kib, 4096)
        self.assertEqual(neighbour.sync()["status"], "alive")


class MaxClients(DaemonTest):
    def refused(self, daemon):
        """It is let in until its first heartbeat."""
        client = self.connect(daemon)
        client.beat()
        self.assertEqual(client.read_to_end(), [])
        return client

    def test_at_the_maximum_the_next_is_refused_and_those_inside_are_unharmed(self):
        daemon = self.start(max_clients=3)
        inside = [self.connect(daemon) for _ in range(3)]
        for client in inside:
            client.sync()
        outside = self.refused(daemon)
        line = daemon.wait("close", client=outside.name)
        self.assertEqual((line["client"], line["reason"], line.level), (outside.name, "limit", "warning"))
        self.assertIn("3 clients are connected", line.detail)
        for client in inside:
            self.assertEqual(client.sync()["status"], "alive")
        inside[0].close()
        daemon.wait("close", client=inside[0].name)
        self.assertEqual(self.connect(daemon).sync()["status"], "alive")
        self.refused(daemon)

    def test_a_flood_of_refusals_is_one_condition_and_none_goes_uncounted(self):
        daemon = self.start(max_clients=1)
        self.connect(daemon).sync()
        refused = [self.refused(daemon) for _ in range(30)]
        began = daemon.wait("refused_again", client="127.0.0.1")
        self.assertEqual((began["state"], began["reason"], began["count"]), ("began", "limit", "3"))
        (lasting,) = daemon.ask("status")["conditions"]
        self.assertEqual((lasting["kind"], lasting["subject"], lasting["count"]),
                         ("refused_again", "127.0.0.1", 30))
        daemon.end()
        closes = [line["client"] for line in daemon.lines("close") if line["reason"] == "limit"]
        self.assertEqual(closes, [client.name for client in refused[:2]])

    def test_a_flood_of_events_is_summed_up_and_none_goes_uncounted(self):
        daemon = self.start(log_rate=2)
        clients = [self.connect(daemon) for _ in range(30)]
        for client in clients:
            client.sync()
        daemon.end()
        logged = [line["client"] for line in daemon.lines("joined")]
        summed_up = [int(line["count"]) for line in daemon.lines("more") if line["event"] == "joined"]
        self.assertEqual(logged[:2], [client.name for client in clients[:2]])
        self.assertEqual(len(logged) + sum(summed_up), 30)
        self.assertGreater(sum(summed_up), 0)

    def test_the_descriptor_limit_bounds_it_and_is_told(self):
        daemon = self.start(max_clients=10_000_000)
        lowered = [line.text for line in daemon.lines("max_clients")]
        self.assertEqual(len(lowered), 1)
        most, limit = map(int, re.search(r" to (\d+): the descriptor limit \(LimitNOFILE\) is (\d+)",
                                         lowered[0]).groups())
        # 64 for the daemon's own and 32 for newcomers over the bound, and of the rest one in eight, at most 1100, for
        # sessions of the control socket.
        self.assertEqual(most, limit - 96 - min(1100, (limit - 96) // 8))


if __name__ == "__main__":
    unittest.main(verbosity=2)
