#!/usr/bin/env python3
"""The instant of a stall is its end, wherever it is reported; and the history has each second once."""
import datetime
import os
import sys
import time
import unittest

import surfer
from harness import Client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "control"))
import asker  # noqa: E402  pylint: disable=wrong-import-position

STOPPED_S = 3.5

# The wall clock's readings are grained to milliseconds, and up to 10 ms of drift change nothing.
GRAIN_S = 0.02


def seconds(instant):
    """`2026-11-22T09:00:00.000Z` as seconds since the epoch."""
    return datetime.datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp()


class Stall(surfer.HttpTest):
    def watch(self, daemon, *events):
        """A follower of these events, from now on."""
        watcher = asker.Asker(daemon.wait("control").text.removeprefix("control socket "))
        self.addCleanup(watcher.close)
        watcher.send("watch", snapshot=True, events=list(events))
        watcher.read_until(type="snapshot_end")
        return watcher

    def stall_once(self, daemon, watcher):
        """Returns between which instants of the wall clock the daemon must have noticed that it goes on, and the
        stall's event."""
        daemon.stop_running()
        time.sleep(STOPPED_S)  # the stall itself
        continued = time.time()
        daemon.go_on()
        event = watcher.read_until(event="stall")
        return (continued, time.time()), event

    def assert_within(self, span, instant):
        self.assertGreaterEqual(seconds(instant), span[0] - GRAIN_S)
        self.assertLessEqual(seconds(instant), span[1] + GRAIN_S)

    def test_everywhere(self):
        daemon = self.start()
        watcher = self.watch(daemon, "stall")
        client = self.connect(daemon)
        client.sync(id="pump-7")
        span, event = self.stall_once(daemon, watcher)
        self.assert_within(span, event["at"])
        self.assert_within(span, self.get(daemon, "/api/status").json["stalls"]["last"])
        self.assert_within(span, self.get(daemon, "/api/clients/pump-7").json["stalls"][0]["at"])
        logged = datetime.datetime.fromisoformat(daemon.wait("stall").time).timestamp()
        self.assertGreaterEqual(logged, span[0] - GRAIN_S)

    def test_a_client_that_is_heard_after_the_stall_is_not_reported_as_heard_before_it(self):
        daemon = self.start()
        watcher = self.watch(daemon, "stall", "joined")
        daemon.stop_running()
        client = Client(daemon.address)  # waits in the kernel
        self.addCleanup(client.close)
        client.beat(id="waited")
        time.sleep(STOPPED_S)  # the stall itself
        continued = time.time()
        daemon.go_on()
        joined = watcher.read_until(event="joined")
        self.assertGreaterEqual(seconds(joined["at"]), continued - GRAIN_S)

    def test_the_history_has_each_second_once(self):
        daemon = self.start()
        watcher = self.watch(daemon, "stall")

        def samples():
            return self.get(daemon, "/api/history").json["samples"]
        surfer.wait_until(lambda: len(samples()) >= 2, "two seconds")
        span, _ = self.stall_once(daemon, watcher)
        surfer.wait_until(lambda: seconds(samples()[-1]["at"]) > span[1] + 2, "two seconds after the stall")
        ends = [seconds(sample["at"]) for sample in samples()]
        self.assertEqual([round(later - earlier, 1) for earlier, later in zip(ends, ends[1:])],
                         [1.0] * (len(ends) - 1))
        # The stall lies between the SIGSTOP and the SIGCONT.
        stalled = [end for end, sample in zip(ends, samples()) if sample["stalled_ms"] > 0]
        self.assertGreater(stalled[0], span[0] - STOPPED_S - GRAIN_S)
        self.assertLess(stalled[-1], span[1] + 1 + GRAIN_S)


if __name__ == "__main__":
    unittest.main(verbosity=2)
