#!/usr/bin/env python3
"""Server-sent events: each event once, in order, also over broken connections, and no loss that is not
announced."""
import unittest

import surfer
from surfer import harness


class Events(surfer.HttpTest):
    def test_what_happens_is_told_as_it_happens(self):
        daemon = self.start()
        events = self.events(daemon)
        self.assertEqual(events.response.getheader("Content-Type"), "text/event-stream; charset=utf-8")
        event, hello = events.read()
        self.assertEqual((event, hello["type"]), ("hello", "hello"))
        self.assertEqual(set(hello), {"type", "boot", "now", "version"})
        client = self.join(daemon, "pump-7")
        connected, joined = events.read_until("event"), events.read_until("event")
        self.assertEqual((connected["event"], connected["seq"]), ("connected", 1))
        self.assertEqual((joined["event"], joined["client"], joined["seq"]), ("joined", "pump-7", 2))
        self.assertEqual(events.last_id, f"{hello['boot']}:2")
        self.assertEqual(joined["cursor"], events.last_id)
        client.sync(status="leave")
        left = events.read_until("event")
        self.assertEqual((left["event"], left["from"], left["to"], left["reason"]),
                         ("leave", "alive", "leave", "declared"))
        client.close()
        self.assertEqual(events.read_until("event")["event"], "close")

    def test_once_a_second_there_is_a_sample_that_history_has_too(self):
        daemon = self.start()
        events = self.events(daemon)
        samples = [events.read_until("sample") for _ in range(3)]
        history = self.get(daemon, "/api/history").json["samples"]
        for sample in samples:
            self.assertIn(sample, history)
        self.assertIsNone(events.last_id)  # a sample is nothing to resume from

    def test_only_what_was_asked_for_is_told(self):
        daemon = self.start()
        events = self.events(daemon, "?match=pump-*&events=joined,close")
        for name in ["valve-1", "pump-1"]:
            self.join(daemon, name).close()
        received = [events.read_until("event") for _ in range(2)]
        self.assertEqual([(event["client"], event["event"]) for event in received],
                         [("pump-1", "joined"), ("pump-1", "close")])

    def test_a_follower_that_comes_back_misses_nothing(self):
        daemon = self.start()
        first = self.events(daemon)
        self.join(daemon, "pump-1")
        while first.read_until("event")["event"] != "joined":
            pass
        first.close()
        self.join(daemon, "pump-2")
        for again in [self.events(daemon, last_event_id=first.last_id),
                      self.events(daemon, f"?since={first.last_id}"),
                      # The header is of the later connection: it wins over the first thing that the page said.
                      self.events(daemon, f"?since={first.last_id.split(':')[0]}:0", last_event_id=first.last_id)]:
            self.assertEqual([again.read_until("event", "lost")["seq"] for _ in range(2)], [3, 4])

    def test_a_connection_that_drops_again_and_again_sees_every_event_exactly_once(self):
        daemon = self.start()
        boot = self.get(daemon, "/api/status").json["boot"]
        seen, last_id = [], f"{boot}:0"
        for round_number in range(20):
            self.join(daemon, f"client-{round_number}")
            events = self.events(daemon, last_event_id=last_id)
            for _ in range(1 + round_number % 3):
                seen.append(events.read_until("event", "lost")["seq"])
                if seen[-1] == 2 * round_number + 2:
                    break
            last_id = events.last_id
            events.close()  # with what it had not read yet
        self.assertEqual(seen, list(range(1, len(seen) + 1)))
        self.assertGreater(len(seen), 20)

    def test_whoever_followed_another_run_is_told_so(self):
        first = self.start()
        boot = self.get(first, "/api/status").json["boot"]
        first.end()
        second = self.start()
        self.join(second, "pump-8")
        again = self.events(second, last_event_id=f"{boot}:41")
        self.assertEqual(again.read_until("event", "lost"), {"type": "lost"})
        self.assertEqual(again.read_until("event")["seq"], 1)

    def test_whoever_falls_behind_the_feed_is_told_how_many_it_missed(self):
        daemon = self.start()
        boot = self.get(daemon, "/api/status").json["boot"]
        churn(daemon, 1400)
        feed = self.get(daemon, "/api/status").json["feed"]
        self.assertEqual(feed["next"] - feed["oldest"], 4096)
        events = self.events(daemon, last_event_id=f"{boot}:0")
        self.assertEqual(events.read_until("event", "lost"), {"type": "lost", "count": feed["oldest"] - 1})
        self.assertEqual(events.read_until("event")["seq"], feed["oldest"])
        # One past the oldest that is held nothing is lost.
        held = self.events(daemon, last_event_id=f"{boot}:{feed['oldest'] - 1}")
        self.assertEqual(held.read_until("event", "lost")["seq"], feed["oldest"])

    def test_an_id_is_no_way_out_of_its_line(self):
        daemon = self.start()
        events = self.events(daemon)
        name = 'x"}\\n\\ndata: {"type":"forged"}'
        self.join(daemon, name)
        events.read_until("event")
        self.assertEqual(events.read_until("event")["client"], name)

    def test_as_many_follow_as_are_allowed_and_not_one_more(self):
        daemon = self.start()
        followers = [self.events(daemon) for _ in range(64)]
        for follower in followers:
            follower.read_until("hello")
        refused = self.events(daemon).response
        self.assertEqual(refused.status, 503)
        self.assertIn(b'"code":"busy"', refused.read())
        self.assertEqual(self.metric(daemon, "heartbeatd_http_followers"), 64)
        self.assertEqual(self.get(daemon, "/api/events", method="HEAD").status, 200)
        followers[0].close()
        surfer.wait_until(lambda: self.metric(daemon, "heartbeatd_http_followers") == 63, "one gone")
        self.events(daemon).read_until("hello")

    def test_a_daemon_that_ends_ends_what_is_open(self):
        daemon = self.start()
        followers = [self.events(daemon) for _ in range(5)]
        for follower in followers:
            follower.read_until("sample")
        idle = surfer.socket.create_connection(self.address_of(daemon), timeout=harness.BOUND_S)
        self.addCleanup(idle.close)
        daemon.end()
        self.assertEqual(idle.recv(1), b"")
        for follower in followers:
            with self.assertRaises((AssertionError, OSError, surfer.http.client.HTTPException)):
                while True:
                    follower.read()


def churn(daemon, count):
    """Three events each: connected, joined, close."""
    for _ in range(count):
        client = harness.Client(daemon.address)
        client.beat(id="churn", status="close")
        client.read_to_end()
        client.close()


if __name__ == "__main__":
    unittest.main()
