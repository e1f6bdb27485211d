#!/usr/bin/env python3
"""`heartbeatctl watch` and `top` over a restart and over a crash: they go on with the next number by themselves.

The status page is in tests/browser/test_restart.py.
"""
import json
import os
import signal
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ctl"))
from program import Beside, Terminal  # noqa: E402  pylint: disable=wrong-import-position

from harness import BOUND_S, Client, Daemon
from service_manager import ServiceManager


class Followed:
    """What heartbeatctl is told of a daemon: where its control socket is."""

    def __init__(self, daemon):
        self.path = daemon.control


class Followers(unittest.TestCase):
    def join(self, daemon, name):
        client = Client(daemon.address)
        self.addCleanup(client.close)
        client.sync(id=name)
        return client

    def read_until(self, watch, kind, **members):
        while True:
            event = json.loads(watch.lines(1)[0])
            if event["type"] != "event":
                continue
            self.events.append(event)
            if event["event"] == kind and members.items() <= event.items():
                return

    def assert_go_on(self, daemon, restart):
        """`restart()` returns the daemon that goes on."""
        self.events = []
        followed = Followed(daemon)
        since = daemon.ask("status")["boot"] + ":0"
        with Beside(followed, "watch", "--json", "--since", since) as watch, Terminal(followed, "top") as top:
            first = self.join(daemon, "pump-7")
            self.read_until(watch, "joined", client="pump-7")
            top.wait_until(lambda text: "pump-7" in text)
            daemon = restart()
            first.sync()
            self.join(daemon, "pump-8")
            self.read_until(watch, "joined", client="pump-8")
            text = top.wait_until(lambda text: "pump-8" in text)
            self.assertIn("pump-7", text)
        self.assertEqual([event["seq"] for event in self.events], list(range(1, len(self.events) + 1)))
        self.assertEqual(len([event for event in self.events if event["event"] == "restarted"]), 1)
        self.assertEqual({event["boot"] for event in self.events}, {since.partition(":")[0]})

    def test_over_a_restart_in_the_same_process(self):
        daemon = Daemon()
        self.addCleanup(daemon.end)

        def restart():
            self.assertEqual(daemon.ask("restart")["type"], "done")
            return daemon
        self.assert_go_on(daemon, restart)

    def test_over_a_crash(self):
        manager = ServiceManager()
        self.addCleanup(manager.close)
        daemon = manager.start()
        self.addCleanup(daemon.kill)

        def restart():
            daemon.ask("status")
            daemon.send_signal(signal.SIGKILL)
            daemon.process.wait(BOUND_S)
            later = manager.start()
            self.addCleanup(later.end)
            return later
        self.assert_go_on(daemon, restart)


if __name__ == "__main__":
    unittest.main()
