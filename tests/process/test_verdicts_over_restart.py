#!/usr/bin/env python3
"""Verdicts over each kind of restart, and over a crash: those of a daemon that had stalled for that time.

A verdict's instant is on the listening clock, which is exact however busy the machine is.  So a run over a restart
and one over a stall are equal, and not merely alike.
"""
import concurrent.futures
import json
import os
import shutil
import signal
import socket
import struct
import tempfile
import time
import unittest

from harness import BOUND_S, Beating, Client, Daemon, frame
from service_manager import ServiceManager

TICK_MS = 1000
LEAVE_TIMEOUT_MS = 3000
RULE = {"tick": f"{TICK_MS}ms", "threshold": 1, "cursor": 2, "leave_timeout": f"{LEAVE_TIMEOUT_MS}ms",
        "brake_share": 0, "hello_timeout": "0s"}
GAP_S = 4  # longer than a silent client needs to leave
SCENES = concurrent.futures.ThreadPoolExecutor(8)


class Scene:
    """Clients of one daemon, of which some fall silent before the gap."""

    def __init__(self, daemon):
        self.connecting_at = time.monotonic()
        self.mute, self.silent, self.declared, self.steady = (Client(daemon.address) for _ in range(4))
        self.silent.sync(id="silent")
        self.declared.sync(id="declared", status="leave")
        self.steady.sync(id="steady")
        daemon.ask("status")
        self._beating = Beating([self.steady], TICK_MS / 2000)

    def play(self, gap):
        """What the daemon after the gap reports; `gap(daemon)` ends one and returns the next."""
        with self._beating:
            daemon = gap()
            for client in (self.mute, self.silent, self.declared):
                client.read_to_end()
            closed_at = time.monotonic()
            self.steady.sync()
        events = events_of(daemon, daemon.ask("status")["feed"]["next"])
        for client in (self.mute, self.silent, self.declared, self.steady):
            client.close()
        return {"verdicts": self.verdicts(events), "numbers": [event["seq"] for event in events],
                "gaps": [event["event"] for event in events if event.get("restarted_ms", event.get("stalled_ms", 0)) > TICK_MS / 2],
                "counted": {name: count for name, count in daemon.ask("status")["totals"].items()
                            if name in ("connected", "joins", "strikes", "leaves", "returns", "takeovers")},
                "passed_ms": (closed_at - self.connecting_at) * 1000}

    def verdicts(self, events):
        """By client: what it was judged, and when, counted from its connection; from its own word if it left by that."""
        names = {self.mute.name: "mute"}
        verdicts = {}
        since = {}
        for event in events:
            if event["event"] not in ("strike", "leave", "return", "close"):
                continue
            client = names.get(event["client"], event["client"])
            if event.get("reason") == "declared":
                since[client] = event["connected_ms"]
            verdicts.setdefault(client, []).append(
                (event["event"], event.get("reason"), event["strikes"], event["connected_ms"] - since.get(client, 0)))
        return verdicts


def events_of(daemon, end):
    """All that the feed has had, up to that number."""
    with socket.socket(socket.AF_UNIX) as follower:
        follower.settimeout(BOUND_S)
        follower.connect(daemon.control)
        follower.sendall(frame(json.dumps({"command": "watch", "since": daemon.ask("status")["boot"] + ":0"})))
        with follower.makefile("rb") as stream:
            events = []
            while not events or events[-1]["seq"] + 1 < end:
                events.append(json.loads(stream.read(struct.unpack("!i", stream.read(4))[0])))
            return events


# Clients that nobody judges before they have had their time: one that said nothing, one that beat once, and one that
# said that it leaves.
EXPECTED = {
    "mute": [("strike", None, 1, TICK_MS), ("strike", None, 2, 2 * TICK_MS), ("leave", "silent", 2, 2 * TICK_MS),
             ("close", "silent", 0, 2 * TICK_MS + LEAVE_TIMEOUT_MS)],
    "silent": [("strike", None, 1, 2 * TICK_MS), ("strike", None, 2, 3 * TICK_MS), ("leave", "silent", 2, 3 * TICK_MS),
               ("close", "silent", 0, 3 * TICK_MS + LEAVE_TIMEOUT_MS)],
    "declared": [("leave", "declared", 0, 0), ("close", "away", 0, LEAVE_TIMEOUT_MS)],
}


class Verdicts(unittest.TestCase):
    """The scenes run at the same time: all that they do is wait."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="heartbeat-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.played = {name: SCENES.submit(getattr(cls, name)) for name in
                      ("stalled", "executed", "executed_without_carrier", "executed_beside_carrier", "crashed", "crashed_twice")}

    @staticmethod
    def stalled():
        daemon = Daemon(**RULE)

        def gap():
            daemon.stop_running()
            time.sleep(GAP_S)  # the stop itself, not a wait for something
            daemon.go_on()
            return daemon
        try:
            return Scene(daemon).play(gap)
        finally:
            daemon.end()

    @classmethod
    def slow_to_start(cls, name):
        """A copy of the program, and what makes it start slowly from then on."""
        program = os.path.join(cls.directory.name, name)
        shutil.copyfile(os.environ["HEARTBEATD"], program)
        os.chmod(program, 0o755)

        def slow_down():
            with open(program + ".new", "w", encoding="ascii") as file:
                file.write(f'#!/bin/sh\ncase "$*" in *--can-restore*) ;; *) sleep {GAP_S} ;; esac\n'
                           f'exec {os.environ["HEARTBEATD"]} "$@"\n')
            os.chmod(program + ".new", 0o755)
            os.rename(program + ".new", program)
        return program, slow_down

    @classmethod
    def over_exec(cls, name, start):
        program, slow_down = cls.slow_to_start(name)
        daemon = start(program)

        def gap():
            slow_down()
            assert daemon.ask("restart")["type"] == "done"
            return daemon
        try:
            return Scene(daemon).play(gap)
        finally:
            daemon.end()

    @classmethod
    def executed(cls):
        return cls.over_exec("executed", lambda program: Daemon(program=program, **RULE))

    @classmethod
    def under_manager(cls, name, **flags):
        managers = []

        def start(program):
            managers.append(ServiceManager(program))
            return managers[0].start(**RULE, **flags)
        try:
            return cls.over_exec(name, start)
        finally:
            managers[0].close()

    @classmethod
    def executed_without_carrier(cls):
        return cls.under_manager("without_carrier", keep_over_crash="no")

    @classmethod
    def executed_beside_carrier(cls):
        return cls.under_manager("beside_carrier")

    @staticmethod
    def over_crashes(times):
        manager = ServiceManager()
        daemons = [manager.start(**RULE)]

        def gap():
            for _ in range(times):
                daemons[-1].send_signal(signal.SIGKILL)
                daemons[-1].process.wait(BOUND_S)
                time.sleep(GAP_S / times)  # the gap itself
                daemons.append(manager.start(**RULE))
            return daemons[-1]
        try:
            return Scene(daemons[0]).play(gap)
        finally:
            for daemon in daemons:
                daemon.kill()
            manager.close()

    @classmethod
    def crashed(cls):
        return cls.over_crashes(1)

    @classmethod
    def crashed_twice(cls):
        return cls.over_crashes(2)

    def assert_equal_to_a_stall(self, name, gaps):
        stalled, played = self.played["stalled"].result(), self.played[name].result()
        self.assertEqual(played["verdicts"], stalled["verdicts"])
        self.assertEqual(played["counted"], stalled["counted"])
        self.assert_whole(played, gaps)

    def assert_whole(self, played, gaps):
        self.assertEqual(played["verdicts"], EXPECTED)
        self.assertEqual(played["numbers"], list(range(1, len(played["numbers"]) + 1)))
        self.assertEqual(played["gaps"], gaps)
        # In the gap the listening clock went on by its limit, a tick, once for each time that it stood still.
        self.assertGreater(played["passed_ms"] + gaps.count("stall") * TICK_MS,
                           GAP_S * 1000 + EXPECTED["silent"][-1][-1])

    def test_a_stall(self):
        self.assert_whole(self.played["stalled"].result(), ["stall"])

    def test_a_restart_in_the_same_process(self):
        self.assert_equal_to_a_stall("executed", ["stall", "restarted"])

    def test_a_restart_in_the_same_process_where_the_service_manager_keeps_nothing(self):
        self.assert_equal_to_a_stall("executed_without_carrier", ["stall", "restarted"])

    def test_a_restart_in_the_same_process_where_the_service_manager_keeps_everything(self):
        self.assert_equal_to_a_stall("executed_beside_carrier", ["stall", "restarted"])

    def test_a_crash(self):
        self.assert_equal_to_a_stall("crashed", ["stall", "restarted"])

    def test_two_crashes_in_a_row(self):
        self.assert_equal_to_a_stall("crashed_twice", ["stall", "restarted"] * 2)


class Off(unittest.TestCase):
    def test_where_nothing_is_kept_over_a_crash_a_client_that_comes_back_is_judged_from_then_on(self):
        manager = ServiceManager()
        self.addCleanup(manager.close)
        daemon = manager.start(**RULE, keep_over_crash="no")
        self.addCleanup(daemon.kill)
        client = Client(daemon.address)
        client.sync(id="silent")
        daemon.send_signal(signal.SIGKILL)
        daemon.process.wait(BOUND_S)
        self.assertIsNone(client.read_frame())
        client.close()
        daemon = manager.start(**RULE, keep_over_crash="no")
        self.addCleanup(daemon.end)
        client = Client(daemon.address)
        self.addCleanup(client.close)
        client.sync(id="silent")
        daemon.wait("close", client="silent")
        events = events_of(daemon, daemon.ask("status")["feed"]["next"])
        judged = [(event["event"], event["connected_ms"]) for event in events if event["event"] in ("strike", "leave", "close")]
        self.assertEqual(judged, [(event, at) for event, _, _, at in EXPECTED["silent"]])


if __name__ == "__main__":
    unittest.main()
