"""A stream is no sequence of messages: frames glued, split anywhere, dribbled; and what a length may be."""
import json
import struct
import unittest

from harness import FRAME_MAX, DaemonTest, frame, heartbeat


def padded(size, **members):
    """A heartbeat whose body is that long."""
    body = heartbeat(**members)
    return body + " " * (size - len(body))


class Reassembly(DaemonTest):
    def setUp(self):
        self.daemon = self.start()
        self.client = self.connect(self.daemon)
        self.neighbour = self.connect(self.daemon)

    def read_acks(self, seqs):
        self.assertEqual([self.client.read_frame() for _ in seqs],
                         [{"type": "ack", "seq": seq, "status": "alive"} for seq in seqs])

    def let_daemon_read(self):
        """What was sent until now has been read: two polls later, whichever order the first read in."""
        self.neighbour.sync()
        self.neighbour.sync()

    def stream(self, first_seq):
        """Three frames, of one encoding and the other."""
        bodies = [heartbeat(ack=True, seq=first_seq), json.dumps(heartbeat(ack=True, seq=first_seq + 1)),
                  heartbeat(ack=True, seq=first_seq + 2, id="split")]
        return b"".join(frame(body) for body in bodies)

    def test_both_encodings_are_one_heartbeat(self):
        for seq, body in enumerate([heartbeat(ack=True, seq=0), json.dumps(heartbeat(ack=True, seq=1))]):
            self.client.send(frame(body))
            self.read_acks([seq])

    def test_two_hundred_frames_in_one_write(self):
        self.client.send(b"".join(frame(heartbeat(ack=True, seq=seq)) for seq in range(200)))
        self.read_acks(range(200))

    def test_more_than_one_read_can_take(self):
        self.client.send(b"".join(frame(padded(FRAME_MAX - seq, ack=True, seq=seq)) for seq in range(60)))
        self.read_acks(range(60))

    def test_split_at_every_place(self):
        size = len(self.stream(0))
        for cut in range(1, size):
            stream = self.stream(0)
            self.client.send(stream[:cut])
            self.let_daemon_read()
            self.client.send(stream[cut:])
            self.read_acks(range(3))

    def test_one_byte_at_a_time(self):
        for byte in self.stream(10):
            self.client.send(bytes([byte]))
            self.let_daemon_read()
        self.read_acks(range(10, 13))

    def test_one_frame_over_several_writes(self):
        whole = frame(padded(FRAME_MAX, ack=True, seq=1)) + frame(heartbeat(ack=True, seq=2))
        for at in range(0, len(whole), 500):
            self.client.send(whole[at:at + 500])
            self.let_daemon_read()
        self.read_acks([1, 2])

    def test_an_unfinished_frame_is_no_heartbeat(self):
        self.client.send(frame(heartbeat())[:-1])
        self.let_daemon_read()
        self.client.half_close()
        self.assert_ended_unsaid(self.client)
        self.assertEqual(self.daemon.wait("close", client=self.client.name)["heartbeats"], "0")


class Lengths(DaemonTest):
    def test_the_longest_is_accepted_and_one_more_is_refused_on_its_prefix_alone(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.send(frame(padded(FRAME_MAX, ack=True, seq=1)))
        self.assertEqual(client.read_frame()["seq"], 1)
        client.send(struct.pack("!i", FRAME_MAX + 1))
        self.assert_ended_unsaid(client)
        closed = daemon.wait("close", client=client.name, reason="bad_frame", bad_input="length_over_max")
        self.assertIn("4097 is over the limit of 4096", closed.detail)

    def test_a_length_that_no_frame_can_have(self):
        daemon = self.start()
        for length, kind in [(0, "length_zero"), (-1, "length_negative"), (-2**31, "length_negative"),
                             (2**31 - 1, "length_over_max")]:
            client = self.connect(daemon)
            client.send(struct.pack("!i", length) + b"whatever follows")
            self.assert_ended_unsaid(client)
            closed = daemon.wait("close", client=client.name, reason="bad_frame", bad_input=kind)
            self.assertIn(f"frame length {length} ", closed.detail)


if __name__ == "__main__":
    unittest.main(verbosity=2)
