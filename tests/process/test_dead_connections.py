"""Dead connections: they keep their places for the whole leave, and must not cost other clients theirs.

A dead peer is a socket whose incoming packets are dropped by a filter on it: no acknowledgement and no reset comes
back, as if the machine had lost its power.
"""
import ctypes
import re
import socket
import struct
import unittest

from harness import Beating, DaemonTest, wait_until

SO_ATTACH_FILTER = 26
NEWCOMERS = 32  # settings.h: kNewcomersMax
PER_ADDRESS = 8  # settings.h: kNewcomersPerAddressMax


def drop_all(client):
    """From now on nothing that the daemon sends reaches the client's TCP."""
    refuse = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0 bytes
    program = struct.pack("HP", 1, ctypes.addressof(refuse))
    client.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Places(DaemonTest):
    # Two silent ticks make a leave.
    RULE = {"tick": "100ms", "threshold": 2, "cursor": 1, "recover": 2, "leave_timeout": "1h", "brake_share": 0}

    def dead(self, daemon, client_id):
        client = self.connect(daemon)
        client.sync(id=client_id)
        daemon.wait("leave", client=client_id)
        return client

    def test_after_an_outage_the_same_clients_come_in_although_their_dead_connections_hold_every_place(self):
        daemon = self.start(max_clients=5, **self.RULE)
        dead = [self.connect(daemon) for _ in range(5)]
        for number, client in enumerate(dead):
            client.sync(id=f"pump-{number}")
            drop_all(client)
        back = [self.connect(daemon) for _ in range(5)]
        for number, client in enumerate(back):
            self.assertEqual(client.sync(id=f"pump-{number}")["status"], "alive")
        daemon.end()
        self.assertEqual([line["reason"] for line in daemon.lines("close") if line["reason"] != "shutdown"], [])
        self.assertEqual(len(daemon.lines("takeover")), 5)

    def test_the_connection_that_is_in_leave_the_longest_is_given_up_and_never_one_that_beats(self):
        daemon = self.start(max_clients=3, **self.RULE)
        beating = [self.connect(daemon)]
        with Beating(beating, 0.02):
            daemon.wait("joined", client=beating[0].name)
            dead = {client_id: self.dead(daemon, client_id) for client_id in ("first", "second")}
            for client_id, given_up in (("new", "first"), ("newer", "second")):
                newcomer = self.connect(daemon)
                newcomer.sync(id=client_id)
                beating.append(newcomer)
                line = daemon.wait("close", client=given_up)
                self.assertEqual((line["reason"], line["by"]), ("given_up", "daemon"))
                self.assertIn("3 clients are connected, which is the maximum; its place went to", line.detail)
                self.assertEqual(dead[given_up].read_to_end(), [])
            late = self.connect(daemon)
            late.beat(id="late")
            self.assertEqual(late.read_to_end(), [])
            self.assertRegex(daemon.ask("why", client="first")["verdict"], "^given up at .* for a new client")
            for client in beating:
                self.assertEqual(client.sync()["status"], "alive")
        self.assertEqual(daemon.ask("status")["closes"]["given_up"], 2)

    def test_so_many_newcomers_are_let_in_until_their_first_heartbeat_and_one_more_is_refused_at_once(self):
        daemon = self.start(max_clients=1, hello_timeout="500ms", **{**self.RULE, "leave_timeout": "2s"})
        inside = self.connect(daemon)
        with Beating([inside], 0.02):
            daemon.wait("joined", client=inside.name)
            newcomers = [self.connect(daemon, source=f"127.0.0.{2 + number // PER_ADDRESS}")
                         for number in range(NEWCOMERS)]
            refused = self.connect(daemon)
            self.assert_ended_unsaid(refused)
            self.assertIn("1 clients are connected", daemon.wait("refused", client=refused.name).detail)
            for client in newcomers:
                self.assertEqual(client.read_to_end(), [])  # hello_timeout
            self.assertEqual(inside.sync()["status"], "alive")

    def test_an_address_that_opens_connections_and_says_nothing_leaves_places_for_the_newcomers_of_others(self):
        daemon = self.start(max_clients=1, hello_timeout="1h", **self.RULE)
        self.dead(daemon, "pump")
        silent = [self.connect(daemon, source="127.0.0.66") for _ in range(PER_ADDRESS + 1)]
        self.assert_ended_unsaid(silent[-1])
        self.connect(daemon).sync(id="pump")
        daemon.wait("takeover", client="pump")

    def test_at_max_clients_per_ip_a_dead_connection_of_that_address_is_given_up(self):
        daemon = self.start(max_clients_per_ip=1, listen=("127.0.0.1:0",), **self.RULE)
        elsewhere = self.connect(daemon, source="127.0.0.2")
        elsewhere.sync(id="elsewhere")
        daemon.wait("leave", client="elsewhere")
        self.dead(daemon, "old")
        newcomer = self.connect(daemon)
        self.assertEqual(newcomer.sync(id="new")["status"], "alive")
        self.assertEqual(daemon.wait("close")["client"], "old")


class Kernel(DaemonTest):
    RULE = {"tick": "10s"}

    def timer_of(self, daemon, client):
        """The kernel's timer of the daemon's side: `00` none, `01` retransmission, `02` keep-alive."""
        port = client.socket.getsockname()[1]
        with open(f"/proc/{daemon.process.pid}/net/tcp", encoding="ascii") as table:
            found = re.search(rf" [0-9A-F]+:{daemon.address[1]:04X} [0-9A-F]+:{port:04X} 01 \S+ (\d\d):", table.read())
        return found[1]

    def test_by_default_the_kernel_keeps_a_connection_and_reports_no_end(self):
        daemon = self.start(**self.RULE)
        client = self.connect(daemon)
        client.sync()
        wait_until(lambda: self.timer_of(daemon, client) == "00", "no timer")

    def test_with_tcp_keepalive_a_dead_connection_is_closed_as_timed_out_and_a_silent_one_that_answers_is_not(self):
        daemon = self.start(tcp_keepalive="1s", **self.RULE)
        silent, dead = self.connect(daemon), self.connect(daemon)
        for client in (silent, dead):
            client.sync()
        drop_all(dead)
        wait_until(lambda: self.timer_of(daemon, silent) == "02", "a keep-alive timer")
        closed = daemon.wait("close", client=dead.name)
        self.assertEqual((closed["reason"], closed["by"]), ("timed_out", "client"))
        self.assertRegex(daemon.ask("why", client=dead.name)["verdict"], "^its connection timed out at ")
        self.assertEqual(silent.sync()["status"], "alive")

    def test_with_tcp_user_timeout_a_connection_that_acknowledges_nothing_is_closed_as_timed_out(self):
        daemon = self.start(tcp_user_timeout="1s", **self.RULE)
        client = self.connect(daemon)
        client.sync()
        drop_all(client)
        client.beat(ack=True)
        self.assertEqual(daemon.wait("close", client=client.name)["reason"], "timed_out")

    def test_why_shows_how_many_packets_stayed_unanswered(self):
        daemon = self.start(**self.RULE)
        client = self.connect(daemon)
        client.sync(id="pump")
        path = daemon.ask("why", client="pump")["path"]
        self.assertEqual((path["unanswered"], path["unacknowledged"]), (0, 0))
        drop_all(client)
        client.beat(id="pump", ack=True)
        wait_until(lambda: daemon.ask("why", client="pump")["path"]["unanswered"] >= 2, "two retransmissions")
        self.assertGreaterEqual(daemon.ask("why", client="pump")["path"]["unacknowledged"], 1)


if __name__ == "__main__":
    unittest.main()
