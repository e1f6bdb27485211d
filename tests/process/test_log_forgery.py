"""Whatever a peer sends, a log line says only what the daemon says.

That no line is forged outright, and that nothing in a line moves a terminal, the harness checks at each
daemon's end; here is what provokes it, and that what was sent can still be read back.
"""
import unittest

from harness import DaemonTest, frame, heartbeat

FORGED = "2026-01-01T00:00:00.000+00:00 warning leave client=victim from=alive to=leave reason=silent"
TRICKS = [
    "line\n" + FORGED[:50],
    "carriage\rreturn",
    "\x1b[2J\x1b[31mred\x07",
    "x reason=kicked by=operator",
    "reason=kicked",
    'quote" reason=kicked "',
    "back\\slash\\",
    "ends: like a detail",
    "colon:",
    "\x00nul\x7f\x9b",
    "\u202eright to left\u2028",
    " ",
    "=",
]
PRINTABLE_TRICKS = [trick for trick in TRICKS if trick.isprintable()]


class Forgery(DaemonTest):
    def setUp(self):
        self.daemon = self.start(debug=False, log_level="debug")

    def test_a_claimed_ip_is_one_value_of_its_own_line(self):
        for trick in TRICKS:
            with self.subTest(trick):
                client = self.connect(self.daemon)
                client.sync(ip=trick)
                joined = self.daemon.wait("joined", client=client.name)
                self.assertEqual(joined.pairs, {"client": client.name, "peer": client.name, "ip": trick})
                self.assertEqual(self.daemon.wait("heartbeat", client=client.name)["ip"], trick)

    def test_an_id_is_one_value_of_its_own_line(self):
        for trick in PRINTABLE_TRICKS:
            with self.subTest(trick):
                client = self.connect(self.daemon)
                client.sync(id=trick)
                joined = self.daemon.wait("joined", client=trick)
                self.assertEqual(list(joined.pairs), ["client", "peer", "ip"])
                client.close()
                closed = self.daemon.wait("close", client=trick)
                self.assertEqual((closed["reason"], closed["by"], closed.detail), ("peer_closed", "client", ""))

    def test_an_id_with_what_nobody_can_see_is_refused_and_quoted_safely(self):
        for trick in set(TRICKS) - set(PRINTABLE_TRICKS):
            with self.subTest(trick):
                client = self.connect(self.daemon)
                client.beat(id=trick)
                self.assert_ended_unsaid(client)
                self.daemon.wait("close", client=client.name, bad_input="id_invalid")

    def test_a_body_is_quoted_short_and_as_one_value(self):
        for trick in TRICKS + [FORGED, " key=value" * 300, "é" * 500]:
            for body in (trick, f'{{"ip":"{trick}"'):
                with self.subTest(body):
                    client = self.connect(self.daemon)
                    client.send(frame(body))
                    self.assert_ended_unsaid(client)
                    closed = self.daemon.wait("close", client=client.name, reason="bad_heartbeat")
                    self.assertLess(len(closed.raw), 600)
                    # Our own words have no quotes; what the peer sent stands between two of them, escaped.
                    self.assertRegex(closed.detail, r'^[^"]*(?:"(?:[^"\\]|\\.)*"[^"]*)?$')
                    self.assertTrue(closed.detail.isprintable())

    def test_a_debug_list_of_clients_is_one_line(self):
        daemon = self.start(debug=True)
        client = self.connect(daemon)
        client.sync(id="a alive, b")
        daemon.wait_for(lambda: any('(1): ["a alive, b" alive]' in line.text for line in daemon.lines("Current")),
                        "the list")


if __name__ == "__main__":
    unittest.main(verbosity=2)
