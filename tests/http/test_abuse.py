#!/usr/bin/env python3
"""What HTTP can be made to do, and that no client notices.

Beside each abuse a fleet beats, and some fall silent: no beating client may move, and who is silent is judged at
the exact instant, by the log's own numbers.  How late the daemon came to things is printed, not judged: the
machine may be busy.
"""
import datetime
import os
import resource
import socket
import sys
import time
import unittest

import surfer
from surfer import harness

TICK_MS = 1000
BEATING = 40
CONNECTIONS_MAX = 256
FOLLOWERS_MAX = 64
ID_MAX = 64
# What 288 connections may take: 16 KiB for the request, 8 for what is sent, a slice of 16 in a string that may have
# room for twice that, and what the allocator adds.  The address sanitizer puts up to 2 KiB around each block, rounds its
# size up to the next of its own, and keeps what was freed aside; so there only a leak would be seen.
MEMORY_MARGIN_KIB = 24 * 1024 * (2 if os.environ.get("SANITIZED") == "1" else 1)


def can_open(count):
    """Whether this process, and the daemon, may have so many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < max(count + 200, 5000):
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    return True


class Abuse(surfer.HttpTest):
    def start_fleet(self, **arguments):
        """A daemon with clients that beat, and a client that has fallen silent."""
        self.daemon = self.start(tick=f"{TICK_MS}ms", threshold=2, cursor=3, recover=2, leave_timeout="1h",
                                 **arguments)
        self.clients = [self.join(self.daemon, f"beating-{number}") for number in range(BEATING)]
        beating = harness.Beating(self.clients, 0.2)
        beating.__enter__()
        self.addCleanup(beating.__exit__)
        self.join(self.daemon, "silent")
        return self.daemon

    def assert_bounded_memory(self, before_kib):
        grown_kib = self.daemon.resident_kib() - before_kib
        print(f"{self._testMethodName}: {grown_kib} KiB more, of {MEMORY_MARGIN_KIB}")
        self.assertLess(grown_kib, MEMORY_MARGIN_KIB)

    def assert_nobody_noticed(self):
        """No beating client moved, and the silent one was judged to the millisecond."""
        daemon = self.daemon
        daemon.wait("leave", client="silent", reason="silent")
        silent = daemon.ask("why", client="silent")["client"]
        connected, left = (datetime.datetime.fromisoformat(silent[name].replace("Z", "+00:00"))
                           for name in ["connected", "left"])
        # Its first tick was heard, then six were silent.
        self.assertEqual(left - connected, datetime.timedelta(milliseconds=7 * TICK_MS))
        for word in ["strike", "leave", "close"]:
            moved = [line.raw for line in daemon.lines(word) if line.pairs.get("client", "").startswith("beating")]
            self.assertEqual(moved, [])
        status = daemon.ask("status")
        figures = {name: status[name] for name in ["loop_lateness_ms", "verdict_lateness_ms", "stalls", "memory_bytes"]}
        print(f"{self.id().rpartition('.')[2]}: {figures}", file=sys.stderr)

    def raw(self, data=b"", receive_buffer=None):
        """A connection that has sent this."""
        raw = socket.socket()
        self.addCleanup(raw.close)
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(harness.BOUND_S)
        raw.connect(self.address_of(self.daemon))
        raw.sendall(data)
        return raw

    @staticmethod
    def read_to_end(raw):
        received = b""
        try:
            while got := raw.recv(1 << 16):
                received += got
        except ConnectionResetError:
            pass
        return received

    def test_a_request_that_is_dribbled_ends_by_the_clock_however_busy_it_is(self):
        daemon = self.start_fleet()
        dribblers = [self.raw(b"GET /api/status HTTP/1.1\r\nX-Slow: ") for _ in range(50)]
        # A connection that has been answered once is no better.
        again = self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 200 ", again.recv(4096))
        again.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        dribblers.append(again)
        end = time.monotonic() + 2 * harness.BOUND_S
        left = list(dribblers)
        while left and time.monotonic() < end:
            for raw in list(left):
                raw.setblocking(False)
                try:
                    raw.send(b"x")
                    if not raw.recv(4096):
                        left.remove(raw)
                except BlockingIOError:
                    pass
                except OSError:
                    left.remove(raw)
            time.sleep(0.2)  # the dribbling itself: far less than any idleness
        self.assertEqual(len(left), 0)
        self.assertEqual(self.metric(daemon, "heartbeatd_http_timeouts_total"), len(dribblers))
        # The peer sees the end before the daemon has let go of the connection.
        surfer.wait_until(lambda: self.metric(daemon, "heartbeatd_http_connections") == 1, "all forgotten")
        self.assert_nobody_noticed()

    def test_a_request_that_is_too_large_is_refused(self):
        daemon = self.start_fleet()
        self.assertEqual(self.get(daemon, "/api/status", headers={"Cookie": "x" * 4096}).status, 200)
        self.assertEqual(self.get(daemon, "/api/status", headers={"Cookie": "x" * 16384}).status, 431)
        many = {f"X-{number}": "x" * 20 for number in range(800)}
        self.assertEqual(self.get(daemon, "/api/status", headers=many).status, 431)
        self.assertEqual(self.get(daemon, "/api/status?" + "x" * 16384).status, 414)
        # Without an end it is refused, too, and not read for ever.
        for beginning in [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10, b""]:
            raw = self.raw(beginning)
            try:
                for _ in range(100):
                    raw.sendall(b"x" * 10_000)
            except OSError:
                pass
            answer = self.read_to_end(raw)
            self.assertTrue(answer == b"" or answer.split()[1] in (b"400", b"414", b"431"), answer[:100])
        self.assertEqual(self.get(daemon, "/api/status").status, 200)
        self.assert_nobody_noticed()

    def test_what_is_no_http_is_refused_and_forgotten(self):
        daemon = self.start_fleet()
        for nonsense in [b"\x00" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET\r\n\r\n", b"\r\n" * 1000,
                         b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" * 3, b"GET / HTTP/9.9\r\n\r\n",
                         b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", harness.frame(harness.heartbeat())]:
            raw = self.raw(nonsense)
            raw.shutdown(socket.SHUT_WR)
            self.assertNotIn(b" 200 ", self.read_to_end(raw).split(b"\r\n")[0])
        surfer.wait_until(lambda: self.metric(daemon, "heartbeatd_http_connections") == 1, "all forgotten")
        # Of HTTP/1.0 no Host is asked, and no browser speaks it.
        self.assertIn(b" 200 ", self.read_to_end(self.raw(b"GET /healthz HTTP/1.0\r\n\r\n")))
        # One after another on one connection, also when they come at once.
        piped = self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20 +
                         b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertEqual(self.read_to_end(piped).count(b"HTTP/1.1 200 "), 21)
        self.assert_nobody_noticed()

    def test_thousands_of_idle_connections_keep_no_scrape_out(self):
        if not can_open(3000):
            self.skipTest("too few descriptors are allowed")
        daemon = self.start_fleet()
        before = daemon.resident_kib()
        # With the connection that asks, as many as are allowed; then one more.
        silent_too = daemon.descriptors()
        idle = []

        def only_idle():
            surfer.wait_until(lambda: daemon.descriptors() == silent_too + len(idle), "accepted, and no other open")

        def open_idle(count):
            only_idle()
            idle.extend(self.raw() for _ in range(count))
            only_idle()
        open_idle(CONNECTIONS_MAX - 1)
        self.assertEqual(self.metric(daemon, "heartbeatd_http_displaced_total"), 0)
        open_idle(1)
        self.assertEqual(self.metric(daemon, "heartbeatd_http_displaced_total"), 1)
        self.assertEqual(self.read_to_end(idle[0]), b"")  # the connection that waited longest

        for _ in range(3000 - CONNECTIONS_MAX):
            idle.append(self.raw())
            if len(idle) % 500 == 0:
                self.assertEqual(self.get(daemon, "/api/status").status, 200)
        turned_away = (self.metric(daemon, "heartbeatd_http_displaced_total") +
                       self.metric(daemon, "heartbeatd_http_refused_total"))
        self.assertGreaterEqual(turned_away, 3000 - CONNECTIONS_MAX)
        self.assertLessEqual(self.metric(daemon, "heartbeatd_http_connections"), CONNECTIONS_MAX + 32)
        self.assert_bounded_memory(before)
        self.assert_nobody_noticed()
        # Idle ones go by themselves.
        surfer.wait_until(lambda: self.metric(daemon, "heartbeatd_http_connections") == 1, "all timed out")

    def test_followers_that_never_read_cost_a_bounded_memory_and_are_told_what_they_lost(self):
        daemon = self.start_fleet()
        boot = daemon.ask("status")["boot"]
        deaf = [self.events(daemon, last_event_id=f"{boot}:0", receive_buffer=4096) for _ in range(FOLLOWERS_MAX)]
        before = daemon.resident_kib()
        churn = 3 * 3000
        for number in range(3000):
            client = harness.Client(daemon.address)
            client.beat(id=f"churn-{number}".ljust(ID_MAX, "x"), status="close")
            client.read_to_end()
            client.close()
        surfer.wait_until(lambda: daemon.ask("status")["feed"]["next"] > churn, "all events")
        # The feed itself is full by now: 4096 events.
        self.assert_bounded_memory(before)

        # One of them reads again; and should it have been given up meanwhile, it comes again, as a browser does.
        last = daemon.ask("status")["feed"]["next"] - 1
        follower, seen, lost = deaf[0], 0, 0
        while seen < last:
            try:
                event, data = follower.read()
            except (AssertionError, OSError):
                follower = self.events(daemon, last_event_id=f"{boot}:{seen}")
                continue
            if event == "lost":
                lost += data["count"]
                seen += data["count"]
            elif event == "event":
                seen += 1
                self.assertEqual(data["seq"], seen)
        self.assertGreater(lost, 0)
        self.assert_nobody_noticed()

    def test_answers_that_nobody_reads_are_bounded_and_one_more_connection_is_turned_away(self):
        if not can_open(3000):
            self.skipTest("too few descriptors are allowed")
        daemon = self.start_fleet(max_clients=2000)
        for number in range(1000):
            self.connect(daemon).beat(id=f"client-{number}".ljust(ID_MAX, "x"))
        surfer.wait_until(lambda: daemon.ask("status")["totals"]["joins"] > 1000, "all joined")
        before = daemon.resident_kib()

        def deaf(query):
            return self.raw(f"GET /api/clients?limit=1000{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
                            receive_buffer=4096)
        # Sorted lists in the making, as many as are allowed; one more is asked to come again.
        unread = [deaf("&sort=name") for _ in range(16)]
        for raw in unread:
            self.assertEqual(raw.recv(12), b"HTTP/1.1 200")
        busy = self.get(daemon, "/api/clients?sort=name&limit=1")
        self.assertEqual((busy.status, busy.json["code"]), (503, "busy"))
        self.assertEqual(self.get(daemon, "/api/clients?limit=1").status, 200)

        # As many connections as are allowed, all being answered; who asked before has closed by then.
        surfer.wait_until(lambda: self.metric(daemon, "heartbeatd_http_connections") == 17, "only the deaf, and this")
        unread += [deaf("") for _ in range(CONNECTIONS_MAX - 16)]
        for raw in unread:
            self.assertTrue(raw.recv(1))  # it is being answered
        self.assertEqual(self.read_to_end(self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")), b"")
        self.assert_bounded_memory(before)
        unread.pop().close()
        surfer.wait_until(lambda: self.serves(daemon), "room again")
        # The daemon may not have seen yet that the last one who asked has closed: one more is turned away until then.
        surfer.wait_until(lambda: self.metric_if_served(daemon, "heartbeatd_http_refused_total") >= 1, "it is counted")
        # No caller is answered for ever.
        surfer.wait_until(lambda: self.metric_if_served(daemon, "heartbeatd_http_connections") == 1, "all given up")
        self.assert_nobody_noticed()

    def metric_if_served(self, daemon, name):
        """-1 where the connection is turned away."""
        try:
            return self.metric(daemon, name)
        except (OSError, surfer.http.client.HTTPException):
            return -1

    def serves(self, daemon):
        try:
            return self.get(daemon, "/healthz").status == 200
        except (OSError, surfer.http.client.HTTPException):
            return False


if __name__ == "__main__":
    harness.BOUND_S = max(harness.BOUND_S, 90.0)
    unittest.main()
