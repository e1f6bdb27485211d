"""--debug: what a person at a terminal sees."""
import os
import pty
import re
import signal
import subprocess
import unittest

from harness import BOUND_S, DAEMON, DaemonTest, wait_until

TITLE = "Current server management user list "


class DebugMode(DaemonTest):
    def setUp(self):
        self.daemon = self.start(debug=True)

    def lists(self):
        return [line.text.removeprefix(TITLE) for line in self.daemon.lines("Current")]

    def wait_for_list(self, text):
        self.daemon.wait_for(lambda: text in self.lists(), text)

    def test_each_line_has_its_time_to_the_millisecond(self):
        self.daemon.end()
        for line in self.daemon.lines():
            self.assertRegex(line.time, r"^\d\d:\d\d:\d\d\.\d{3}$")

    def test_each_heartbeat_is_a_line_at_debug_with_its_numbers(self):
        client = self.connect(self.daemon)
        client.beat(ip="10.1.2.3", pid=42, seq=9)
        line = self.daemon.wait("heartbeat", client=client.name)
        self.assertEqual(line.level, "debug")
        self.assertEqual(line.pairs, {"client": client.name, "ip": "10.1.2.3", "pid": "42", "declared": "alive",
                                      "status": "alive", "seq": "9", "silence": "0", "strikes": "0",
                                      "steady": "0"})

    def test_a_transition_has_its_numbers(self):
        client = self.connect(self.daemon)
        client.beat(id="pump-7", status="leave")
        left = self.daemon.wait("leave", client="pump-7")
        self.assertEqual((left.level, left["silence"], left["strikes"], left["steady"]),
                         ("warning", "0", "0", "0"))

    def test_the_list_of_clients_is_told_when_it_changes(self):
        first = self.connect(self.daemon)
        first.sync(id="a")
        self.wait_for_list("(1): [a alive]")
        second = self.connect(self.daemon)
        second.sync(id="b", status="leave")
        self.wait_for_list("(2): [a alive, b leave]")
        before = len(self.lists())
        for _ in range(5):
            second.sync()
        self.assertEqual(len(self.lists()), before)
        first.close()
        self.wait_for_list("(1): [b leave]")

    def test_the_list_names_twenty_and_counts_the_rest(self):
        clients = [self.connect(self.daemon) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sync(id=f"c{number}")
        twenty = ", ".join(f"c{number} alive" for number in range(20))
        self.wait_for_list(f"(20): [{twenty}]")
        for number in range(5):
            self.connect(self.daemon).sync(id=f"late{number}")
        self.wait_for_list(f"(25): [{twenty}, and 5 more]")

    def test_the_level_can_be_raised_all_the_same(self):
        daemon = self.start(debug=True, log_level="info")
        self.connect(daemon).sync()
        daemon.end()
        self.assertEqual([line for line in daemon.lines() if line.level == "debug"], [])


class Colour(unittest.TestCase):
    def test_only_a_terminal_is_coloured(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([DAEMON, "--listen", "127.0.0.1:0", "--max-clients", "10", "--debug"],
                                   stdin=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""

        def ready():
            nonlocal shown
            shown += os.read(ours, 65536)
            return b" is ready: " in shown

        try:
            wait_until(ready, "ready")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(BOUND_S), 0)
        finally:
            process.kill()
            process.wait()
            os.close(ours)
        self.assertTrue(re.search(rb"^\d\d:\d\d:\d\d\.\d{3} \x1b\[32minfo   ? ?\x1b\[", shown, re.M), shown)


if __name__ == "__main__":
    unittest.main(verbosity=2)
