#!/usr/bin/env python3
"""A drain as operators order and see it, with a real daemon: rate, notices, /readyz, log, status, a restart and the end."""
import os
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import asker


class Drain(asker.ControlTest):
    def ctl(self, *arguments, code=0):
        done = subprocess.run([os.environ["HEARTBEATCTL"], "--control", self.path, *arguments], capture_output=True,
                              text=True, timeout=asker.BOUND_S, check=False)
        self.assertEqual(done.returncode, code, done)
        return done.stdout + done.stderr

    def ready(self, daemon):
        try:
            with urllib.request.urlopen(daemon.http + "/readyz") as answer:
                return answer.status, answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()

    def test_a_drain_from_the_order_to_the_end(self):
        daemon = self.start(http_listen="127.0.0.1:0")
        listening = self.connect(daemon)
        listening.sync(id="pump-0", notify=True)
        others = []
        for number in range(1, 10):
            others.append(self.connect(daemon))
            others[-1].sync(id=f"pump-{number}")
        self.assertEqual(self.ready(daemon), (200, "ok"))
        began = time.monotonic()
        said = self.ctl("drain", "--rate", "10", "--retry-after", "3s")
        self.assertEqual(said, "10 clients are drained now, 10 a second; heartbeatctl status shows how many are left\n")
        self.assertEqual(self.ready(daemon), (503, "draining"))
        line = daemon.wait("operator", command="drain", rate="10")
        self.assertEqual((line["uid"], line["retry_after"]), (str(os.getuid()), "3s"))
        self.assertIn(f"at 10 clients a second, ordered by uid {os.getuid()}", daemon.wait("drain:").text)
        notice = listening.read_until(reason="drained")
        self.assertTrue(3000 <= notice["retry_after_ms"] < 6000, notice)
        self.assertRegex(self.ctl("status"), r"(?m)^drain +\d+ drained, \d+ left.*; at 10 a second since .*, by uid \d+$")
        daemon.wait("drain_complete:")
        self.assertGreaterEqual(time.monotonic() - began, 0.9)  # ten clients, a tenth of a second apart
        self.assertEqual(len(daemon.lines("close", reason="drained", by="operator")), 10)
        for client in others:
            client.read_to_end()
        # A new client is sent elsewhere at its first heartbeat.
        late = self.connect(daemon)
        late.beat(id="pump-99", notify=True)
        notice = late.read_until(reason="drained")
        self.assertIn("takes no new clients", notice["detail"])
        self.assertGreaterEqual(notice["retry_after_ms"], 3000)
        (condition,) = self.ask("status")[0]["conditions"]
        self.assertEqual((condition["kind"], condition["count"]), ("drain", 10))
        self.assertRegex(self.ctl("why", "pump-3"), "drained at .*, to connect elsewhere")
        self.assertEqual(self.ctl("drain", "--stop"), "clients that were drained: 10\n")
        self.assertEqual(self.ready(daemon), (200, "ok"))
        self.assertIn("the daemon does not drain", self.ctl("drain", "--stop", code=1))
        stays = self.connect(daemon)
        stays.sync(id="pump-3")
        self.assertEqual(len(daemon.lines("drain", state="ended")), 1)

    def test_a_restart_goes_on_with_the_drain(self):
        daemon = self.start()
        held = [self.connect(daemon) for _ in range(3)]
        for number, client in enumerate(held):
            client.sync(id=f"pump-{number}")
        self.ctl("drain", "--rate", "1")
        daemon.wait("close", client="pump-0", reason="drained")
        self.ctl("restart")
        daemon.wait("restarted")
        daemon.wait("close", client="pump-2", reason="drained")
        daemon.wait("drain_complete:")
        late = self.connect(daemon)
        late.beat(id="pump-9", notify=True)
        late.read_until(reason="drained")
        self.assertEqual(self.ctl("drain", "--stop"), "clients that were drained: 3\n")

    def test_the_reference_client_comes_back_when_it_was_told_to(self):
        daemon = self.start()
        client = subprocess.Popen([os.environ["HEARTBEAT_CLIENT"], "--server", "{}:{}".format(*daemon.address), "--id", "pump-7",
                                   "--interval", "200ms", "--base", "100ms", "--cap", "100ms"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        daemon.wait("joined", client="pump-7")
        self.ctl("drain", "--retry-after", "1500ms")
        daemon.wait("close", client="pump-7", reason="drained")
        drained = time.monotonic()
        self.ctl("drain", "--stop")
        daemon.wait("joined", count=2, client="pump-7")
        self.assertGreaterEqual(time.monotonic() - drained, 1.4)

    def test_the_command_line_is_checked(self):
        self.start()
        for wrong in (("--rate", "0"), ("--rate", "10001"), ("--stop", "--rate", "5"), ("--retry-after", "2h")):
            with self.subTest(wrong=wrong):
                code = 2 if wrong[0] != "--retry-after" else None
                done = subprocess.run([os.environ["HEARTBEATCTL"], "--control", self.path, "drain", *wrong],
                                      capture_output=True, text=True, timeout=asker.BOUND_S, check=False)
                self.assertNotEqual(done.returncode, 0, done)
                if code is not None:
                    self.assertEqual(done.returncode, code, done)


if __name__ == "__main__":
    unittest.main()
