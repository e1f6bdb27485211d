#!/usr/bin/env python3
"""What one connection to the control socket can do to the daemon and to the others: nothing."""
import json
import resource
import struct
import unittest

import asker
import harness


class Sessions(asker.ControlTest):
    def test_requests_on_one_connection_are_answered_in_order(self):
        daemon = self.start()
        for number in range(50):
            self.join(daemon, f"c{number}")
        session = self.asker()
        requests = [("clients", {}), ("status", {}), ("why", {"client": "nobody"}), ("clients", {"limit": 2})] * 20
        session.socket.sendall(b"".join(harness.frame(json.dumps({"command": command, **members}))
                                        for command, members in requests))
        for command, members in requests:
            answer = session.read_answer()
            expected = {"clients": members.get("limit", 50) + 1, "status": 2, "why": 1}[command]
            self.assertEqual(len(answer), expected)

    def test_a_request_may_come_one_byte_at_a_time(self):
        self.start()
        session = self.asker()
        for byte in harness.frame('{"command":"status"}'):
            session.socket.sendall(bytes([byte]))
        self.assertEqual(session.read_answer()[0]["type"], "status")

    def test_an_error_does_not_end_the_connection(self):
        self.start()
        session = self.asker()
        for body in ["", "{", "[]", "7", '{"command":"dance"}', '{"command":"clients","limit":"x"}', "[" * 65536]:
            session.socket.sendall(struct.pack("!i", max(1, len(body))) + (body or "x").encode())
            error, = session.read_answer()
            self.assertEqual(error["code"], "bad_request")
        self.assertEqual(session.ask("status")[-1]["type"], "done")

    def test_bytes_that_are_no_frames_end_that_session_alone_and_say_why(self):
        self.start()
        other = self.asker()
        for garbage in [b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00",
                        struct.pack("!i", asker.FRAME_MAX + 1)]:
            session = self.asker()
            session.socket.sendall(garbage)
            error, = session.read_answer()
            self.assertEqual(error["code"], "bad_request")
            self.assertIn("not a frame", error["message"])
            self.assertTrue(session.has_ended())
        self.assertEqual(other.ask("status")[-1]["type"], "done")

    def test_a_request_of_the_longest_length_is_read(self):
        self.start()
        names = ["x" * 60] * 1000
        body = json.dumps({"command": "kick", "clients": names})
        body += " " * (asker.FRAME_MAX - len(body))
        session = self.asker()
        session.send_body(body)
        *each, done = session.read_answer()
        self.assertEqual(len(each), 1000)
        self.assertEqual(done["count"], 0)

    def start_with_five_sessions(self):
        # An eighth of what the daemon does not keep for itself and for newcomers: (136 - 64 - 32) / 8.
        return self.start(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (136, 136)))

    def test_at_the_bound_the_session_that_has_gone_longest_without_asking_makes_room_for_a_new_one(self):
        self.start_with_five_sessions()
        sessions = [self.asker() for _ in range(5)]
        for session in sessions:
            self.assertEqual(session.ask("status")[-1]["type"], "done")
        self.assertEqual(sessions[0].ask("status")[-1]["type"], "done")  # so sessions[1] has gone longest
        one_more = self.asker()
        self.assertEqual(one_more.ask("status")[0]["control"], {"sessions": 5, "displaced": 1, "refused": 0})
        self.assertTrue(sessions[1].has_ended())
        for session in [sessions[0], *sessions[2:], one_more]:
            self.assertEqual(session.ask("status")[-1]["type"], "done")

    def test_however_many_sessions_stand_idle_an_operator_is_served(self):
        self.start_with_five_sessions()
        idle = [self.asker() for _ in range(200)]
        self.assertTrue(idle[0].has_ended())
        status = self.asker().ask("status")[0]
        self.assertEqual(status["control"]["refused"], 0)
        self.assertEqual(status["control"]["displaced"], 196)

    def test_where_every_session_is_being_served_one_more_is_busy(self):
        self.start_with_five_sessions()
        watchers = [self.asker() for _ in range(5)]
        for watcher in watchers:
            watcher.send("watch", snapshot=True)
            watcher.read_until(type="snapshot_end")
        one_more = self.asker()
        self.assertEqual(one_more.read()["code"], "busy")
        self.assertTrue(one_more.has_ended())
        watchers[0].close()
        harness.wait_until(self.is_served, "there is room again")

    def is_served(self):
        session = self.asker()
        session.send("status")
        return session.read()["type"] == "status"

    def test_sessions_that_leave_in_the_middle_leave_nothing_behind(self):
        daemon = self.start()
        for number in range(200):
            self.join(daemon, f"c{number}")
        before = self.ask("status")[0]["descriptors"]["used"]
        for round_number in range(50):
            session = self.asker()
            session.socket.sendall(b"".join(harness.frame(json.dumps({"command": "clients", "sort": "name"}))
                                            for _ in range(20)) + b"\x00\x00\x01")
            if round_number % 2:
                session.read()
            session.close()
        asker.wait_until(lambda: self.ask("status")[0]["descriptors"]["used"] == before, "all of them gone")

    def test_sessions_that_blast_hold_one_read_each(self):
        daemon = self.start()
        blasting = [self.asker() for _ in range(400)]
        self.ask("status")
        before = daemon.resident_kib()
        # 200 KiB of requests from each; the kernel keeps what the daemon does not read.
        requests = harness.frame('{"command":"settings"}') * 8000
        for session in blasting:
            session.socket.setblocking(False)
            session.left = memoryview(requests)
        for _ in range(20):
            for session in blasting:
                try:
                    session.left = session.left[session.socket.send(session.left):]
                except BlockingIOError:
                    pass
        self.assertEqual(self.ask("status")[-1]["type"], "done")
        # Of each session one read of 4 KiB and one slice of 16 KiB.
        self.assertLess(daemon.resident_kib() - before, 400 * 24)

    def test_requests_that_are_larger_than_one_read_and_behind_one_another_are_all_answered(self):
        self.start()
        session = self.asker()
        body = json.dumps({"command": "kick", "clients": ["x" * 50] * 300})
        self.assertGreater(len(body), 3 * 4096)
        session.socket.sendall((harness.frame(body) + harness.frame('{"command":"status"}')) * 4)
        for _ in range(4):
            self.assertEqual(len(session.read_answer()), 301)
            self.assertEqual(len(session.read_answer()), 2)

    def test_one_that_asks_and_closes_its_side_is_answered_all_the_same(self):
        daemon = self.start()
        for number in range(100):
            self.join(daemon, f"c{number}")
        session = self.asker()
        session.send("clients")
        session.socket.shutdown(1)
        self.assertEqual(len(session.read_answer()), 101)
        self.assertTrue(session.has_ended())

    def test_readers_that_do_not_read_hold_nobody_up_and_grow_nothing(self):
        daemon = self.start()
        clients = [self.join(daemon, f"c{number}") for number in range(300)]
        stuck = [self.asker(receive_buffer=4096) for _ in range(20)]
        before = daemon.resident_kib()
        requests = harness.frame('{"command":"clients"}') * 200
        for session in stuck:
            session.socket.setblocking(False)
            try:
                session.socket.sendall(requests)
            except BlockingIOError:
                pass
        self.assertEqual(len(self.ask("clients")), 301)
        for client in clients:
            client.sync()
        # 20 x 200 lists of 300 clients would be over 400 MB.
        self.assertLess(daemon.resident_kib() - before, 20 * 1024)
        # Who begins to read gets all that he asked for.
        first = stuck[0]
        first.socket.settimeout(harness.BOUND_S)
        for _ in range(200):
            self.assertEqual(len(first.read_answer()), 301)


if __name__ == "__main__":
    unittest.main()
