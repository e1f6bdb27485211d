"""Whatever keeps the daemon from listening is charged to no client: no beating client is moved, and a silent client
is judged at its exact listening time.  All figures are the daemon's own, of its log lines, so the machine may be as
slow as it likes."""
import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness
from harness import Beating, DaemonTest, millis

TICK_MS = 100
WINDOW_MS = 15 * TICK_MS
LEAVE_TIMEOUT_MS = 400


class FairnessTest(DaemonTest):
    def assert_judged_exactly(self, daemon, silent):
        """It beat once in tick 0 (or in the next, where its accept was alone in it), and then never again."""
        left = daemon.wait("leave", client=silent.name)
        closed = daemon.wait("close", client=silent.name, reason="silent")
        connected = millis(closed["connected"]) - LEAVE_TIMEOUT_MS  # at the leave
        self.assertEqual(connected % TICK_MS, 0)
        self.assertEqual(millis(closed["silent"]) - LEAVE_TIMEOUT_MS, millis(left["silent"]))
        # The last heartbeat's tick, and then the whole window of silent ones; not one tick more or less.
        ticks_of_heartbeat = (connected - millis(left["silent"])) // TICK_MS
        self.assertEqual(connected // TICK_MS, ticks_of_heartbeat + 1 + WINDOW_MS // TICK_MS)

    def assert_nobody_moved(self, daemon, steady):
        for client in steady:
            self.assertEqual(client.sync()["status"], "alive")
        names = {client.name for client in steady}
        self.assertEqual([line for line in daemon.lines("leave") if line["client"] in names], [])


class Stops(FairnessTest):
    def test_a_rule_that_forgives_no_silent_tick_moves_nobody_who_beats_for_a_stop(self):
        """One silent tick makes a leave here.  What waited in the kernel has to be heard before the stop's time
        counts, or the tick in which the daemon was stopped is a silent one."""
        tick_ms = 1000
        daemon = self.start(tick=f"{tick_ms}ms", threshold=1, cursor=1, leave_timeout="60s")
        steady = []
        with Beating(steady, tick_ms / 20000):
            for _ in range(40):
                client = self.connect(daemon)
                client.beat()
                steady.append(client)
                time.sleep(tick_ms / 40 / 1000)  # so that a stop begins at all places of a tick
            for stop in range(5):
                time.sleep(0.13)  # some listening in between
                daemon.stop_running()
                time.sleep(2 * tick_ms / 1000 + 0.1)
                daemon.go_on()
                daemon.wait("stall", count=stop + 1)
        self.assertEqual(daemon.lines("leave"), [])

    def test_a_stop_of_ten_times_the_whole_window(self):
        daemon = self.start(tick=f"{TICK_MS}ms", leave_timeout=f"{LEAVE_TIMEOUT_MS}ms")
        steady = [self.connect(daemon) for _ in range(10)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                daemon.wait("joined", client=client.name)
            silent = self.connect(daemon)
            silent.sync()
            daemon.stop_running()
            time.sleep(10 * (WINDOW_MS + LEAVE_TIMEOUT_MS) / 1000)
            daemon.go_on()
            daemon.wait_for_stall(9 * WINDOW_MS)
            self.assert_judged_exactly(daemon, silent)
            self.assert_nobody_moved(daemon, steady)


class Starvation(FairnessTest):
    def test_a_daemon_that_gets_the_processors_only_when_nobody_else_wants_them(self):
        daemon = self.start(tick=f"{TICK_MS}ms", leave_timeout=f"{LEAVE_TIMEOUT_MS}ms")
        steady = [self.connect(daemon) for _ in range(10)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                daemon.wait("joined", client=client.name)
            silent = self.connect(daemon)
            silent.sync()
            os.sched_setscheduler(daemon.process.pid, os.SCHED_IDLE, os.sched_param(0))
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                    for _ in range(8 * len(os.sched_getaffinity(0)))]
            try:
                # Long enough to be a strike for every client, and more, if it counted.
                harness.wait_until(lambda: any(millis(line["stalled"]) > 7 * TICK_MS
                                               for line in daemon.lines("stall")), "a long stall")
            finally:
                for process in busy:
                    process.kill()
                    process.wait()
                os.sched_setscheduler(daemon.process.pid, os.SCHED_OTHER, os.sched_param(0))
            self.assert_judged_exactly(daemon, silent)
            self.assert_nobody_moved(daemon, steady)
        names = {client.name for client in steady}
        self.assertEqual([line.raw for line in daemon.lines("strike") if line["client"] in names], [])


class SlowLogReader(FairnessTest):
    def test_a_log_that_nobody_reads_holds_up_nobody(self):
        gate = threading.Event()
        gate.set()

        class Held(harness.Daemon):
            """Its log is read only while the gate is open, and little fits into the pipe."""

            def _read_log(self):
                fcntl.fcntl(self.process.stderr, 1031, 4096)  # F_SETPIPE_SZ
                self.process.stderr = os.fdopen(os.dup(self.process.stderr.fileno()), "rb", buffering=0)
                rest = b""
                while True:
                    gate.wait()
                    got = self.process.stderr.read(512)
                    if not got:
                        break
                    *lines, rest = (rest + got).split(b"\n")
                    with self._changed:
                        self._lines += [harness.LogLine(raw.decode(errors="replace")) for raw in lines]
                        self._changed.notify_all()
                with self._changed:
                    self._ended = True
                    self._changed.notify_all()

        daemon = Held(tick=f"{TICK_MS}ms", leave_timeout="60s", log_level="debug")
        self.addCleanup(daemon.end)
        self.addCleanup(gate.set)  # before that
        steady = [self.connect(daemon) for _ in range(10)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                daemon.wait("joined", client=client.name)
            gate.clear()
            unread_from = time.monotonic()
            # It goes on answering, for longer than the window, while its log says a line for each heartbeat.
            while time.monotonic() - unread_from < 3 * WINDOW_MS / 1000:
                for client in steady:
                    self.assertEqual(client.sync()["status"], "alive")
            gate.set()
            lost = daemon.wait("lost")
            self.assertEqual(lost.level, "warning")
            self.assertGreater(int(lost["lines"]), 0)
        self.assert_nobody_moved(daemon, steady)
        self.assertEqual(daemon.lines("leave"), [])


class Clocks(FairnessTest):
    def setUp(self):
        with open(harness.DAEMON, "rb") as binary:
            if b"__asan_init" in binary.read():
                self.skipTest("a sanitizer wants to be loaded before anything else")
        self._offsets = tempfile.NamedTemporaryFile(prefix="heartbeat-")
        self.addCleanup(self._offsets.close)
        self.set_clocks()
        self.daemon = self.start(tick=f"{TICK_MS}ms", leave_timeout=f"{LEAVE_TIMEOUT_MS}ms", environment={
            "LD_PRELOAD": os.environ["CLOCK_SHIM_LIBRARY"], "CLOCK_SHIM": self._offsets.name})

    def set_clocks(self, wall_ms=0, asleep_ms=0):
        self._offsets.seek(0)
        self._offsets.write(struct.pack("=qq", wall_ms, asleep_ms))
        self._offsets.flush()

    def test_setting_peoples_clock_forwards_or_back_moves_nobody_and_delays_no_verdict(self):
        day_ms = 24 * 3600 * 1000
        steady = [self.connect(self.daemon) for _ in range(5)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                self.daemon.wait("joined", client=client.name)
            for wall_ms in (day_ms, -day_ms, 365 * day_ms, 0):
                silent = self.connect(self.daemon)
                silent.sync()
                self.set_clocks(wall_ms=wall_ms)
                self.assert_judged_exactly(self.daemon, silent)
            self.assert_nobody_moved(self.daemon, steady)
        # The lines do carry people's clock: it was really moved.
        years = {line.time[:4] for line in self.daemon.lines("leave")}
        self.assertGreater(len(years), 1)

    def test_a_suspended_machine_is_told_with_its_length_and_charged_to_nobody(self):
        hours_ms = 8 * 3600 * 1000
        steady = [self.connect(self.daemon) for _ in range(5)]
        with Beating(steady, TICK_MS / 2000):
            for client in steady:
                self.daemon.wait("joined", client=client.name)
            silent = self.connect(self.daemon)
            silent.sync()
            self.set_clocks(wall_ms=hours_ms, asleep_ms=hours_ms)
            suspend = self.daemon.wait("suspend")
            self.assertEqual(suspend.level, "warning")
            self.assertLess(abs(millis(suspend["suspended"]) - hours_ms), 10)
            self.assert_judged_exactly(self.daemon, silent)
            self.assert_nobody_moved(self.daemon, steady)
        self.assertEqual(len(self.daemon.lines("suspend")), 1)
        self.assertEqual([line["client"] for line in self.daemon.lines("leave")], [silent.name])


if __name__ == "__main__":
    unittest.main(verbosity=2)
