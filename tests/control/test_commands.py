#!/usr/bin/env python3
"""The commands about the daemon itself, and the commands that change something."""
import os
import re
import subprocess
import time
import unittest

import asker


class Commands(asker.ControlTest):
    def test_the_status_has_the_figures_of_this_daemon(self):
        daemon = self.start()
        client = self.join(daemon, "pump-7")
        bad = self.connect(daemon)
        bad.send(b"GET / HTTP/1.1\r\n")
        bad.read_to_end()
        status, done = self.ask("status")
        self.assertEqual(done, {"type": "done"})
        self.assertEqual(status["type"], "status")
        self.assertEqual(status["pid"], daemon.process.pid)
        self.assertRegex(status["boot"], "^[0-9a-f]{32}$")
        host, port = daemon.address
        self.assertEqual(status["listening"], [f"{host}:{port}"])
        self.assertEqual(status["clients"], {"alive": 1, "leave": 0, "max": 1000, "missing": 0})
        self.assertEqual(status["heartbeats"]["total"], 1)
        self.assertEqual(status["totals"]["connected"], 2)
        self.assertEqual(status["closes"], {"bad_frame": 1})
        self.assertEqual(status["bad_input"], {"length_over_max": 1})
        self.assertEqual(status["rule"]["tick_ms"], 10000)
        self.assertLess(abs(status["memory_bytes"] // 1024 - daemon.resident_kib()), 4096)
        descriptors = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        # With the connection of this very question, which may be gone since.
        self.assertIn(status["descriptors"]["used"], [descriptors, descriptors + 1])
        client.close()

    def test_the_rate_of_heartbeats_appears(self):
        daemon = self.start()
        client = self.join(daemon, "pump-7")
        def rate():
            client.sync()
            return self.ask("status")[0]["heartbeats"]["per_second"]["1"] > 0
        asker.wait_until(rate, "a rate above 0")

    def test_a_stall_of_the_daemon_is_told(self):
        daemon = self.start()
        self.join(daemon, "pump-7")
        daemon.stop_running()
        time.sleep(1.5)  # how long the stall is; nothing is waited for
        daemon.go_on()
        daemon.wait("stall")
        stalls = self.ask("status")[0]["stalls"]
        self.assertGreaterEqual(stalls["count"], 1)
        self.assertGreater(stalls["worst_ms"], 0)
        story = self.ask("why", client="pump-7")[0]
        self.assertEqual(len(story["stalls"]), stalls["count"])

    def test_a_kick_reaches_the_client_with_its_message_and_is_logged_with_who_did_it(self):
        daemon = self.start()
        client = self.join(daemon, "pump-7", notify=True)
        answer = self.ask("kick", clients=["pump-7", "nobody"], message="moving you")
        self.assertEqual(answer, [{"type": "kicked", "client": "pump-7"}, {"type": "not_found", "client": "nobody"},
                                  {"type": "done", "count": 1}])
        closed = client.read_until(type="status", status="close")
        self.assertEqual(closed["reason"], "kicked")
        self.assertEqual(closed["detail"], "moving you")
        self.assertIsNone(client.read_frame())
        line = daemon.wait("operator", command="kick", client="pump-7")
        self.assertEqual((line["uid"], line["pid"]), (str(os.getuid()), str(os.getpid())))
        close = daemon.wait("close", client="pump-7", reason="kicked", by="operator")
        self.assertEqual(close.detail, "moving you")
        daemon.end()
        self.assertEqual(len(daemon.lines("operator")), 1)

    def test_the_log_level_changes_at_once_and_is_logged(self):
        daemon = self.start()
        self.assertEqual(self.ask("log_level", level="debug"), [{"type": "done", "from": "info", "to": "debug"}])
        self.join(daemon, "pump-7")
        daemon.wait("heartbeat", client="pump-7")
        self.assertEqual(self.ask("log_level", level="error"), [{"type": "done", "from": "debug", "to": "error"}])
        line = daemon.wait("operator", command="log_level", to="error")
        self.assertEqual((line["uid"], line["pid"]), (str(os.getuid()), str(os.getpid())))
        self.join(daemon, "pump-8")
        daemon.end()
        self.assertEqual(daemon.lines("joined", client="pump-8"), [])

    def test_heartbeatctl_has_every_command_of_the_daemon_and_no_other_but_its_own(self):
        self.start()
        error, = self.ask("dance")
        daemon_has = set(error["message"].split(" is not one of ")[1].split(", "))
        shown = subprocess.run([os.environ["HEARTBEATCTL"], "--help"], capture_output=True, text=True, check=True).stdout
        listed = re.findall(r"^  ([a-z-]+) ", shown.split("Subcommands:")[1].split("\n\n")[0], re.M)
        program_has = {name.replace("-", "_") for name in listed}
        # `top` asks for the status and for clients, `history` and `availability` read the files of the event
        # journal, `token` makes a line for the file of tokens, `hooks` reads what the notifier writes, and `fleet`
        # asks Redis.  A relay gives the orders `supersede` and `remember`, and no operator.
        own = {"top", "history", "availability", "token", "hooks", "fleet"}
        self.assertEqual(program_has - own, daemon_has - {"supersede", "remember"})

    def test_a_level_that_is_none_is_refused(self):
        self.start()
        error, = self.ask("log_level", level="loud")
        self.assertEqual(error["code"], "bad_request")
        self.assertIn("'loud' is not a log level", error["message"])
        error, = self.ask("log_level", level="lo\x7f\u202eud")
        self.assertIn(r"'lo\x7f\xe2\x80\xaeud' is not a log level", error["message"])


if __name__ == "__main__":
    unittest.main()
