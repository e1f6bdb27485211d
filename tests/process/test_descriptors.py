"""At the bound on clients, at the descriptor limit, and where something else has used the descriptors up."""
import os
import resource
import time
import unittest

import harness
from harness import Beating, DaemonTest

# What a daemon keeps of these for itself (limits.h), and an eighth of the rest for its control socket.
LIMIT = 80
KEPT = 64
CLIENTS = (LIMIT - KEPT) - (LIMIT - KEPT) // 8


class Descriptors(DaemonTest):
    def start_with(self, limit, **flags):
        """A daemon that may have so many descriptors, and no more."""
        return self.start(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)), **flags)

    def test_at_the_limit_one_more_is_refused_with_a_reason_and_there_is_room_again_when_one_goes(self):
        daemon = self.start_with(LIMIT, tick="100ms")
        self.assertTrue(any(f"lowered from 1000 to {CLIENTS}" in line.text for line in daemon.lines()))
        inside = [self.connect(daemon) for _ in range(CLIENTS)]
        with Beating(inside, 0.05):
            for client in inside:
                daemon.wait("joined", client=client.name)
            for number in range(1, 4):
                outside = self.connect(daemon)
                self.assertEqual(outside.read_to_end(), [])
                refused = daemon.wait("refused", count=number)
                self.assertEqual((refused["client"], refused["reason"]), (outside.name, "limit"))
                self.assertIn(f"{CLIENTS} clients are connected", refused.detail)
            self.assertLessEqual(daemon.descriptors(), LIMIT)
            inside.pop().close()
            daemon.wait("close")
            again = self.connect(daemon)
            self.assertEqual(again.sync()["status"], "alive")
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
        self.assertEqual(daemon.lines("leave"), [])

    @unittest.skipIf(os.environ.get("SANITIZED") == "1",
                     "the sanitizer itself needs descriptors to look at memory, and reports a fault without them")
    def test_where_the_descriptors_are_used_up_unforeseen_those_inside_are_unharmed_and_it_recovers(self):
        daemon = self.start(tick="100ms")
        inside = [self.connect(daemon) for _ in range(10)]
        with Beating(inside, 0.05):
            for client in inside:
                daemon.wait("joined", client=client.name)
            # From outside, while it runs: not one descriptor more than it has.
            used = daemon.descriptors()
            limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
            outside = [self.connect(daemon) for _ in range(5)]
            for client in outside:
                client.beat()
            paused = daemon.wait("accept_paused")
            self.assertIn("no connection can be accepted: too many open files", paused.detail)
            used_s = daemon.processor_s()
            time.sleep(1)
            self.assertLess(daemon.processor_s() - used_s, 0.5)  # a loop that spun would have used most of it
            self.assertEqual(daemon.descriptors(), used)
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, limits)
            for client in outside:
                self.assertEqual(client.sync()["status"], "alive")  # they had waited
            self.assertGreaterEqual(daemon.ask("status")["accepting"]["pauses"], 2)
        self.assertEqual(daemon.lines("leave") + daemon.lines("close") + daemon.lines("refused"), [])
        self.assertEqual(len(daemon.lines("accept_paused")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
