#!/usr/bin/env python3
"""The metrics: what Prometheus' own tools say of them, and that they tell what happened."""
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest

import surfer
from surfer import harness
from prometheus import NOT_THERE, PROMETHEUS, Prometheus

PROMTOOL = shutil.which("promtool")


class Metrics(surfer.HttpTest):
    @unittest.skipUnless(PROMTOOL, NOT_THERE)
    def test_promtool_has_nothing_to_complain_of(self):
        daemon = self.start()
        client = self.join(daemon, "pump-7")
        client.sync()
        metrics = self.get(daemon, "/metrics")
        self.assertEqual(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        check = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics.body, capture_output=True, text=True,
                               timeout=harness.BOUND_S, check=False)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, "", ""))
        # It can complain.
        bad = subprocess.run([PROMTOOL, "check", "metrics"], input="# TYPE a_total counter\na_total 1\n",
                             capture_output=True, text=True, timeout=harness.BOUND_S, check=False)
        self.assertNotEqual(bad.returncode, 0)

    @unittest.skipUnless(PROMETHEUS, NOT_THERE)
    def test_a_prometheus_server_scrapes_it(self):
        daemon = self.start()
        self.join(daemon, "pump-7")
        server = Prometheus("{}:{}".format(*self.address_of(daemon)))
        self.addCleanup(server.end)
        surfer.wait_until(lambda: server.value('heartbeatd_clients{status="alive"}') == 1, "the client in the database")
        self.join(daemon, "pump-8")
        surfer.wait_until(lambda: server.value('heartbeatd_clients{status="alive"}') == 2, "a client more")
        self.assertIsNotNone(server.value("histogram_quantile(0.99, heartbeatd_loop_lateness_seconds_bucket)"))
        self.assertEqual(server.value("count(heartbeatd_build_info)"), 1)

    def test_each_thing_that_happens_is_counted_under_its_name(self):
        daemon = self.start(tick="100ms", threshold=2, cursor=2, recover=1, leave_timeout="300ms")
        self.assertEqual(self.metric(daemon, 'heartbeatd_transitions_total{from="alive",to="leave",reason="silent"}'), 0)
        silent = self.connect(daemon)
        silent.sync(id="silent")
        silent.read_to_end()
        away = self.join(daemon, "away")
        away.sync(status="leave")
        away.read_to_end()
        goodbye = self.connect(daemon)
        goodbye.beat(id="goodbye", status="close")
        goodbye.read_to_end()
        for frame in [struct.pack("!i", -1), harness.frame("{}"), harness.frame("nonsense")]:
            bad = self.connect(daemon)
            bad.send(frame)
            bad.read_to_end()
        kicked = self.join(daemon, "kicked")
        daemon.ask("kick", clients=["kicked"])
        kicked.read_to_end()
        first = self.join(daemon, "twice")
        self.join(daemon, "twice").close()
        first.read_to_end()
        daemon.wait("close", client="twice")
        for series, value in [
                ('heartbeatd_transitions_total{from="alive",to="leave",reason="silent"}', 1),
                ('heartbeatd_transitions_total{from="leave",to="close",reason="silent"}', 1),
                ('heartbeatd_transitions_total{from="alive",to="leave",reason="declared"}', 1),
                ('heartbeatd_transitions_total{from="leave",to="close",reason="away"}', 1),
                ('heartbeatd_transitions_total{from="alive",to="close",reason="goodbye"}', 1),
                ('heartbeatd_closes_total{reason="silent",by="daemon"}', 1),
                ('heartbeatd_closes_total{reason="away",by="daemon"}', 1),
                ('heartbeatd_closes_total{reason="goodbye",by="client"}', 1),
                ('heartbeatd_closes_total{reason="kicked",by="operator"}', 1),
                ('heartbeatd_closes_total{reason="superseded",by="client"}', 1),
                ('heartbeatd_closes_total{reason="bad_frame",by="daemon"}', 1),
                ('heartbeatd_closes_total{reason="bad_heartbeat",by="daemon"}', 2),
                ('heartbeatd_bad_input_total{kind="length_negative"}', 1),
                ('heartbeatd_bad_input_total{kind="ip_missing"}', 1),
                ('heartbeatd_bad_input_total{kind="not_json"}', 1),
                ('heartbeatd_clients{status="alive"}', 0),
                ('heartbeatd_clients{status="leave"}', 0),
                ('heartbeatd_takeovers_total', 1),
                ('heartbeatd_strikes_total', 2),
                # A leave for silence is a margin of nothing; a declared one is none.
                ('heartbeatd_margin_ratio_bucket{le="0"}', 1)]:
            with self.subTest(series):
                self.assertEqual(self.metric(daemon, series), value)

    def test_the_totals_agree_with_the_status(self):
        daemon = self.start(tick="200ms", threshold=2, cursor=1, leave_timeout="200ms")
        clients = [self.join(daemon, f"pump-{number}") for number in range(5)]
        for client in clients[1:]:
            client.sync()
        clients[0].read_to_end()
        surfer.wait_until(lambda: sum(daemon.ask("status")["closes"].values()) == 5, "all gone")
        status = self.get(daemon, "/api/status").json
        text = self.get(daemon, "/metrics").body

        def total(name):
            return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
                       if re.match(name + r"[ {]", line))
        self.assertEqual(total("heartbeatd_closes_total"), sum(status["closes"].values()))
        self.assertEqual(total("heartbeatd_heartbeats_total"), status["heartbeats"]["total"])
        self.assertEqual(total("heartbeatd_joins_total"), status["totals"]["joins"])
        # Gaps: of each connection one less than its heartbeats.
        self.assertEqual(total("heartbeatd_heartbeat_gap_seconds_count"), status["heartbeats"]["total"] - 5)
        self.assertEqual(total("heartbeatd_margin_ratio_count"),
                         status["heartbeats"]["total"] + status["totals"]["leaves"])
        self.assertEqual(total("heartbeatd_verdict_lateness_seconds_count"), status["verdict_lateness_ms"]["count"])

    def test_a_stall_is_counted_with_its_length(self):
        daemon = self.start()
        self.get(daemon, "/api/status")
        daemon.stop_running()
        time.sleep(2.5)  # the stall itself
        daemon.go_on()
        stall = harness.millis(daemon.wait("stall")["stalled"])
        self.assertEqual(self.metric(daemon, "heartbeatd_stalls_total"), 1)
        self.assertAlmostEqual(self.metric(daemon, "heartbeatd_stall_seconds_total"), stall / 1000)

    def test_no_client_has_a_series(self):
        daemon = self.start()
        before = len(self.get(daemon, "/metrics").body.splitlines())
        for number in range(50):
            self.join(daemon, f"pump-{number}")
        text = self.get(daemon, "/metrics").body
        self.assertEqual(len(text.splitlines()), before)
        self.assertNotIn("pump", text)

    def test_health_says_that_the_daemon_is_stopping(self):
        daemon = self.start()
        # A client that does not read its goodbye keeps the daemon for a moment, so that the daemon can be asked.
        client = self.join(daemon, "slow", notify=True)
        address = self.address_of(daemon)
        question = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with socket.create_connection(address, timeout=harness.BOUND_S) as asking:
            asking.sendall(question)
            answer = b""
            while answer.count(b"\r\n\r\nok\n") < 2:
                answer += asking.recv(4096)
            daemon.stop_running()
            daemon.send_signal(signal.SIGTERM)
            # Of so many at once, each takes a turn of the loop; in the first of them the signal is taken, too.
            asking.sendall(question * 40)
            daemon.go_on()
            answer = b""
            while (answer.count(b" 503 ") < 2 or answer.count(b"stopping\n") < 2) and (got := asking.recv(4096)):
                answer += got
            self.assertGreaterEqual(answer.count(b" 503 "), 2, answer)
            self.assertGreaterEqual(answer.count(b"stopping\n"), 2, answer)
        client.close()


if __name__ == "__main__":
    unittest.main()
