"""At the bound on clients, at the descriptor limit, and where something else has used the descriptors up."""
import http.client
import os
import re
import resource
import socket
import time
import unittest
import urllib.parse

import harness
from harness import Beating, DaemonTest

# What a daemon keeps of these for itself (limits.h), and an eighth of the rest for its control socket.
LIMIT = 112
KEPT = 96
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
                outside.beat()  # until then it is let in
                self.assertEqual(outside.read_to_end(), [])
                # From the third on the refusals of one address are a condition.
                refused = (daemon.wait("close", client=outside.name) if number < 3
                           else daemon.wait("refused_again", client="127.0.0.1"))
                self.assertEqual(refused["reason"], "limit")
                self.assertIn(f"{CLIENTS} clients are connected", refused.detail)
            self.assertLessEqual(daemon.descriptors(), LIMIT)
            gone = inside.pop()
            gone.close()
            daemon.wait("close", client=gone.name)
            again = self.connect(daemon)
            self.assertEqual(again.sync()["status"], "alive")
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
        self.assertEqual(daemon.lines("leave"), [])

    def forbid_more(self, daemon):
        """From outside, while it runs: not one descriptor more than it has.  Returns what undoes it."""
        used = daemon.descriptors()
        limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
        return lambda: resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, limits)

    def assert_does_not_spin(self, daemon):
        """The fault used nearly all of this time."""
        used_s = daemon.processor_s()
        time.sleep(2)
        self.assertLess(daemon.processor_s() - used_s, 0.6)

    @unittest.skipIf(os.environ.get("SANITIZED") == "1",
                     "the sanitizer itself needs descriptors to look at memory, and reports a fault without them")
    def test_where_the_descriptors_are_used_up_unforeseen_those_inside_are_unharmed_and_it_recovers(self):
        daemon = self.start(tick="100ms")
        inside = [self.connect(daemon) for _ in range(10)]
        with Beating(inside, 0.05):
            for client in inside:
                daemon.wait("joined", client=client.name)
            used = daemon.descriptors()
            allow = self.forbid_more(daemon)
            outside = [self.connect(daemon) for _ in range(5)]
            for client in outside:
                client.beat()
            paused = daemon.wait("accept_paused")
            self.assertIn("no connection can be accepted: too many open files", paused.detail)
            self.assertIn("LimitNOFILE=", paused.detail)
            self.assert_does_not_spin(daemon)
            self.assertEqual(daemon.descriptors(), used)
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
            allow()
            for client in outside:
                self.assertEqual(client.sync()["status"], "alive")  # they had waited
            self.assertGreaterEqual(daemon.ask("status")["accepting"]["shortages"]["clients"], 2)
        self.assertEqual(daemon.lines("leave") + daemon.lines("close") + daemon.lines("refused"), [])
        self.assertEqual(len(daemon.lines("accept_paused")), 1)

    @unittest.skipIf(os.environ.get("SANITIZED") == "1", "as above")
    def test_without_descriptors_an_operator_waits_and_is_served_when_there_is_one(self):
        daemon = self.start()
        allow = self.forbid_more(daemon)
        with socket.socket(socket.AF_UNIX) as operator:
            operator.settimeout(harness.BOUND_S)
            operator.connect(daemon.control)
            operator.sendall(harness.frame('{"command":"status"}'))
            self.wait_for_shortage(daemon, "control socket")
            self.assert_does_not_spin(daemon)
            allow()
            self.assertTrue(operator.recv(1))
        self.assertGreaterEqual(daemon.ask("status")["accepting"]["shortages"]["control"], 2)
        self.assert_reported_once(daemon)

    @unittest.skipIf(os.environ.get("SANITIZED") == "1", "as above")
    def test_without_descriptors_a_scrape_waits_and_is_answered_when_there_is_one(self):
        daemon = self.start(http_listen="127.0.0.1:0")
        where = urllib.parse.urlsplit(daemon.http)
        allow = self.forbid_more(daemon)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=harness.BOUND_S)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        self.wait_for_shortage(daemon, "http")
        self.assert_does_not_spin(daemon)
        allow()
        metrics = connection.getresponse().read().decode()
        shortages = re.search(r'^heartbeatd_accept_shortages_total{door="http"} (\d+)$', metrics, re.M)
        self.assertGreaterEqual(int(shortages[1]), 2)
        self.assertEqual(daemon.ask("status")["accepting"]["shortages"]["http"], int(shortages[1]))
        self.assert_reported_once(daemon)

    def wait_for_shortage(self, daemon, door):
        start = f"{door}: no connection can be accepted: too many open files (LimitNOFILE= of the unit"
        daemon.wait_for(lambda: any(line.text.startswith(start) for line in daemon.lines()), start)

    def assert_reported_once(self, daemon):
        self.assertEqual(len([line for line in daemon.lines() if "no connection can be accepted" in line.raw]), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
