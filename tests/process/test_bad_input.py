"""Each thing that can be wrong with what a peer sends ends that connection alone, and its close names it."""
import json
import struct
import unittest

from harness import DaemonTest, frame, heartbeat

GOOD = frame(heartbeat())

# What is sent, by the kind that it must be called; after a good heartbeat that gave the id `known`.
BAD_FRAMES = {
    "length_zero": struct.pack("!i", 0),
    "length_negative": struct.pack("!i", -5),
    "length_over_max": struct.pack("!i", 4097),
}
BAD_BODIES = {
    "not_utf8": b'{"ip":"10.0.0.1","status":"alive\xff"}',
    "not_json": b'{"ip":"10.0.0.1","status":"alive"',
    "too_deep": heartbeat(deep=json.loads("[" * 16 + "]" * 16)),
    "not_an_object": "[1, 2]",
    "ip_missing": '{"status":"alive"}',
    "ip_invalid": heartbeat(ip=""),
    "status_missing": '{"ip":"10.0.0.1"}',
    "status_unknown": heartbeat(status="Alive"),
    "pid_invalid": heartbeat(pid=4294967296),
    "id_invalid": heartbeat(id="x" * 129),
    "id_changed": heartbeat(id="another"),
    "seq_invalid": heartbeat(seq=-1),
    "ack_invalid": heartbeat(ack=1),
    "notify_invalid": heartbeat(notify="yes"),
}
KINDS = {**BAD_FRAMES, **{kind: frame(body) for kind, body in BAD_BODIES.items()}}


class BadInput(DaemonTest):
    def setUp(self):
        self.daemon = self.start()
        self.neighbour = self.connect(self.daemon)
        self.neighbour.sync(id="neighbour")

    def reason(self, kind):
        return "bad_frame" if kind in BAD_FRAMES else "bad_heartbeat"

    def test_there_are_all_seventeen_kinds(self):
        self.assertEqual(len(KINDS), 17)

    def test_a_client_that_asked_is_told_what_was_wrong(self):
        for kind, bad in KINDS.items():
            with self.subTest(kind):
                client = self.connect(self.daemon)
                client.sync(id="known", notify=True)
                client.send(bad + GOOD)
                received = client.read_to_end()
                closed = self.daemon.wait("close", bad_input=kind)
                self.assertEqual(received, [{"type": "status", "status": "close", "reason": self.reason(kind),
                                         "detail": closed.detail}])
                self.assertEqual(client.ended_by, "eof")
                self.assertEqual((closed["client"], closed["reason"], closed["by"], closed["heartbeats"]),
                                 ("known", self.reason(kind), "daemon", "1"))
                self.assertEqual(closed.level, "warning")
                self.assertGreater(len(closed.detail.split()), 3, "a sentence")
                self.assertEqual(self.neighbour.sync()["status"], "alive")

    def test_a_client_that_did_not_ask_is_not_sent_a_byte(self):
        for kind, bad in KINDS.items():
            with self.subTest(kind):
                client = self.connect(self.daemon)
                client.send((frame(heartbeat(id="known")) if kind == "id_changed" else b"") + bad + GOOD)
                self.assert_ended_unsaid(client)
                self.daemon.wait("close", bad_input=kind, reason=self.reason(kind))
                self.assertEqual(self.neighbour.sync()["status"], "alive")

    def test_the_article_encoding_hides_nothing(self):
        for kind, body in BAD_BODIES.items():
            if kind in ("not_utf8", "id_changed"):  # cannot stand in a JSON string; needs an earlier id
                continue
            with self.subTest(kind):
                client = self.connect(self.daemon)
                client.send(frame(json.dumps(body.decode() if isinstance(body, bytes) else body)))
                self.assert_ended_unsaid(client)
                self.daemon.wait("close", bad_input=kind, client=client.name)

    def test_one_level_of_encoding_more_is_not_an_object(self):
        client = self.connect(self.daemon)
        client.send(frame(json.dumps(json.dumps(heartbeat()))))
        self.assert_ended_unsaid(client)
        self.daemon.wait("close", bad_input="not_an_object", client=client.name)

    def test_each_bound_of_a_member_is_accepted(self):
        for members in [{"ip": "x" * 64}, {"pid": 0}, {"pid": 4294967295}, {"id": "y" * 128}, {"notify": False},
                        {"deep": json.loads("[" * 15 + "]" * 15)}]:
            with self.subTest(members):
                self.assertEqual(self.connect(self.daemon).sync(**members)["status"], "alive")
        client = self.connect(self.daemon)
        client.beat(ack=True, seq=2**64 - 1)
        self.assertEqual(client.read_frame(), {"type": "ack", "seq": 2**64 - 1, "status": "alive"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
