#!/usr/bin/env python3
"""The change feed: each event once, in order, and no loss that is not announced."""
import resource
import threading
import unittest

import asker
import harness


class Watch(asker.ControlTest):
    def test_what_happens_is_told_as_it_happens(self):
        daemon = self.start()
        watcher = self.asker()
        watcher.send("watch", snapshot=True)
        self.assertEqual(watcher.read(), {"type": "snapshot_end", "count": 0})
        client = self.join(daemon, "pump-7")
        connected, joined = watcher.read(), watcher.read()
        self.assertEqual((connected["event"], connected["seq"]), ("connected", 1))
        self.assertEqual((joined["event"], joined["client"], joined["seq"]), ("joined", "pump-7", 2))
        self.assertEqual(joined["cursor"], f"{joined['boot']}:2")
        client.sync(status="leave")
        left = watcher.read()
        self.assertEqual((left["event"], left["from"], left["to"], left["reason"]),
                         ("leave", "alive", "leave", "declared"))
        client.close()
        self.assertEqual(watcher.read()["event"], "close")

    def test_a_snapshot_and_the_events_after_it_are_all_that_happened(self):
        daemon = self.start()
        for number in range(100):
            self.join(daemon, f"old-{number}")
        watcher = self.asker()
        watcher.send("watch", snapshot=True, events=["joined"])
        self.join(daemon, "new")
        seen = set()
        while (got := watcher.read())["type"] == "client":
            seen.add(got["name"])
        self.assertEqual(got["type"], "snapshot_end")
        if "new" not in seen:
            self.assertEqual(watcher.read()["client"], "new")
        self.assertEqual(len({name for name in seen if name.startswith("old-")}), 100)

    def test_a_watch_that_ends_is_let_go_of(self):
        self.start()
        before = self.ask("status")[0]["descriptors"]["used"]
        watcher = self.asker()
        watcher.send("watch", snapshot=True)
        watcher.read_until(type="snapshot_end")
        watcher.close()
        asker.wait_until(lambda: self.ask("status")[0]["descriptors"]["used"] == before, "the watcher gone")

    def test_a_connection_that_drops_again_and_again_sees_every_event_exactly_once(self):
        daemon = self.start()
        stop = threading.Event()

        def churn():
            while not stop.is_set():
                client = harness.Client(daemon.address)
                client.sync(id="churn")
                client.close()

        churning = threading.Thread(target=churn)
        churning.start()
        seen, members = [], {}
        try:
            for round_number in range(25):
                watcher = self.asker()
                watcher.send("watch", **members)
                for _ in range(1 + round_number % 7):
                    event = watcher.read()
                    self.assertEqual(event["type"], "event")
                    seen.append(event["seq"])
                    members["since"] = event["cursor"]
                watcher.close()  # with what it had not read yet
        finally:
            stop.set()
            churning.join(harness.BOUND_S)
        self.assertEqual(seen, list(range(seen[0], seen[0] + len(seen))))

        # Up to the daemon's own last one.
        last = self.ask("status")[0]["feed"]["next"] - 1
        watcher = self.asker()
        watcher.send("watch", **members)
        while seen[-1] < last:
            seen.append(watcher.read()["seq"])
        self.assertEqual(seen, list(range(seen[0], last + 1)))

    def test_whoever_followed_another_run_is_told_so(self):
        first = self.start()
        watcher = self.asker()
        watcher.send("watch", snapshot=True)
        watcher.read_until(type="snapshot_end")
        self.join(first, "pump-7")
        cursor = watcher.read()["cursor"]
        first.end()
        second = self.start()
        self.join(second, "pump-8")
        again = self.asker()
        again.send("watch", since=cursor)
        self.assertEqual(again.read(), {"type": "lost"})
        self.assertEqual(again.read()["seq"], 1)

    def test_a_thousand_watchers_of_whom_one_never_reads(self):
        count = 1000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = count + 200
        if hard != resource.RLIM_INFINITY and hard < (count + 1) * 8 + 64:
            self.skipTest(f"the descriptor limit of {hard} leaves fewer than {count} sessions")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))

        daemon = self.start()
        watchers = [self.asker(receive_buffer=4096) for _ in range(count)]
        for watcher in watchers:
            watcher.send("watch", snapshot=True)
        for watcher in watchers:
            watcher.read_until(type="snapshot_end")
        deaf, *others = watchers
        before = daemon.resident_kib()

        # More events than the feed holds and the kernel's buffers take; the others read along.
        position = {watcher: 0 for watcher in others}
        self.churn(daemon, 4)
        for watcher in others:
            while position[watcher] < 12:
                got = watcher.read()
                position[watcher] += 1
                self.assertEqual(got["seq"], position[watcher])
        for watcher in others:
            watcher.close()
        self.churn(daemon, 2000)
        self.assertLess(daemon.resident_kib() - before, 16 * 1024)

        # The events that it gets when it reads again, and the count of those it missed, are all that happened.
        seen, lost = 0, 0
        last = self.ask("status")[0]["feed"]["next"] - 1
        while seen < last:
            got = deaf.read()
            if got["type"] == "lost":
                lost += got["count"]
                seen += got["count"]
            else:
                seen += 1
                self.assertEqual(got["seq"], seen)
        self.assertGreater(lost, 0)

    def churn(self, daemon, count):
        """Three events each: connected, joined, close."""
        next_event = self.ask("status")[0]["feed"]["next"]
        for _ in range(count):
            client = harness.Client(daemon.address)
            client.beat(id="churn", status="close")
            client.read_to_end()
            client.close()
        asker.wait_until(lambda: self.ask("status")[0]["feed"]["next"] == next_event + 3 * count, "all events")


if __name__ == "__main__":
    unittest.main()
